#!/usr/bin/env python3
"""Does the cost of a training step grow linearly with batch and with layers?

  linear_cost.py --kexue build/release/kexue [--plot benchmarks/linear_cost.svg]

Runs `kexue bench bert-train` over batch sizes and over depths, fits a straight
line to the CPU time of a step, prints both tables with the distance of each
point from its line, and draws them. Needs no package.
"""
import argparse
import json
import os
import subprocess

SWEEPS = {"batch": ("B", (2, 4, 8, 16, 32), "L=4"),
          "layers": ("L", (1, 2, 4, 8, 16), "B=8")}
WIDTH, HEIGHT, MARGIN = 340, 240, 48
COLORS = {"f32": "#3465a4", "bf16": "#c4581b"}


def measure(args, sizes, dtype):
    cpus = sorted(os.sched_getaffinity(0))[:1]
    best = float("inf")
    for _ in range(args.rounds):
        done = subprocess.run(
            [args.kexue, "bench", "bert-train", "--sizes", sizes, "--dtype",
             dtype, "--threads", "1", "--steps", str(args.steps), "--json"],
            stdout=subprocess.PIPE, check=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        best = min(best, json.loads(done.stdout)["cpu_min_s"])
    return best


def line_through(xs, ys):
    """Least squares in the relative error: offset, slope."""
    weights = [1 / (y * y) for y in ys]
    total = sum(weights)
    mx = sum(w * x for w, x in zip(weights, xs)) / total
    my = sum(w * y for w, y in zip(weights, ys)) / total
    slope = (sum(w * (x - mx) * (y - my) for w, x, y in zip(weights, xs, ys)) /
             sum(w * (x - mx) ** 2 for w, x in zip(weights, xs)))
    return my - slope * mx, slope


def panel(at, name, xs, series):
    """One chart, its left edge at `at`."""
    top = 1.1 * max(max(ys) for ys in series.values())

    def px(x):
        return at + MARGIN + x / max(xs) * (WIDTH - 1.5 * MARGIN)

    def py(y):
        return HEIGHT - MARGIN - y / top * (HEIGHT - 2 * MARGIN)

    out = [f'<line x1="{px(0):.1f}" y1="{py(0):.1f}" x2="{px(max(xs)):.1f}" '
           f'y2="{py(0):.1f}" stroke="#888"/>',
           f'<line x1="{px(0):.1f}" y1="{py(0):.1f}" x2="{px(0):.1f}" '
           f'y2="{py(top):.1f}" stroke="#888"/>',
           f'<text x="{at + WIDTH / 2}" y="{HEIGHT - 8}">{name}</text>',
           f'<text x="{px(0) + 4:.1f}" y="{py(top) - 6:.1f}" '
           'text-anchor="start">CPU seconds of a step</text>']
    out += [f'<text x="{px(x):.1f}" y="{py(0) + 16:.1f}">{x}</text>'
            for x in xs[1:]]
    out += [f'<text x="{px(0) - 4:.1f}" y="{py(y) + 4:.1f}" '
            f'text-anchor="end">{y:.2f}</text>' for y in (top / 2, top)]
    for k, (dtype, ys) in enumerate(series.items()):
        offset, slope = line_through(xs, ys)
        color = COLORS[dtype]
        out.append(f'<line x1="{px(0):.1f}" y1="{py(max(offset, 0)):.1f}" '
                   f'x2="{px(max(xs)):.1f}" '
                   f'y2="{py(offset + slope * max(xs)):.1f}" '
                   f'stroke="{color}"/>')
        out += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="3" '
                f'fill="{color}"/>' for x, y in zip(xs, ys)]
        out.append(f'<text x="{px(0) + 12:.1f}" y="{py(top) + 12 + 14 * k:.1f}"'
                   f' text-anchor="start" fill="{color}">{dtype}</text>')
    return out


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--kexue", required=True)
    add("--plot", help="SVG to write")
    add("--rounds", type=int, default=2)
    add("--steps", type=int, default=3)
    args = parser.parse_args()
    drawn = []
    print("| sizes | dtype | CPU ms a step | off the line |")
    print("| --- | --- | --- | --- |")
    for k, (name, (key, xs, rest)) in enumerate(SWEEPS.items()):
        series = {}
        for dtype in COLORS:
            ys = [measure(args, f"{key}={x},{rest}", dtype) for x in xs]
            offset, slope = line_through(xs, ys)
            off = [y / (offset + slope * x) - 1 for x, y in zip(xs, ys)]
            series[dtype] = ys
            print(f"| {rest}, {key}={'/'.join(map(str, xs))} | {dtype} | "
                  + " / ".join(f"{1e3 * y:.0f}" for y in ys) + " | "
                  + " / ".join(f"{100 * o:+.1f} %" for o in off) + " |",
                  flush=True)
        drawn += panel(k * WIDTH, name, list(xs), series)
    if args.plot:
        with open(args.plot, "w", encoding="utf-8") as file:
            file.write(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" '
                f'height="{HEIGHT}" font-family="sans-serif" font-size="11" '
                f'text-anchor="middle" fill="#333">'
                f'<rect width="100%" height="100%" fill="#fff"/>\n'
                + "\n".join(drawn) + "\n</svg>\n")


if __name__ == "__main__":
    main()
