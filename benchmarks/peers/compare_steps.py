#!/usr/bin/env python3
"""Whole training steps, ours against PyTorch, taking turns.

  compare_steps.py --ours build/bench/benchmarks/train/bert_step
                   [--len 32,64,96,128] [--batch 32] [--rounds 5] [--steps 3]
                   [--threads 2] [--json FILE]

Both programs stay alive and run a few steps in turn, so that a drift of the
machine meets both. Prints one row per length and dtype: the least CPU and wall
milliseconds of a step over all rounds, and the ratio (above 1: ours is faster).
"""
import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Runner:
    def __init__(self, command, threads):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        env=env)

    def ask(self, batch, length, steps):
        self.process.stdin.write(f"{batch} {length} {steps}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a program under test ended early")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def least(rows, *names):
    for name in names:
        values = [row[name] for row in rows if name in row]
        if values:
            return min(values)
    raise SystemExit(f"no field {names} in {rows[:1]}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--len", default="32,64,96,128")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--dtypes", default="f32,bf16")
    parser.add_argument("--json")
    args = parser.parse_args()
    size = ["--layers", str(args.layers), "--hidden", str(args.hidden),
            "--threads", str(args.threads)]
    table = []
    print("| dtype | batch x length | ours CPU ms | PyTorch CPU ms | ratio |"
          " ours wall ms | PyTorch wall ms | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for dtype in args.dtypes.split(","):
        ours = Runner([args.ours, "--dtype", dtype] + size, args.threads)
        peer = Runner([sys.executable, os.path.join(HERE, "step_bench_torch.py"),
                       "--interactive", "--dtype", dtype] + size, args.threads)
        for length in args.len.split(","):
            rows = {"ours": [], "peer": []}
            for _ in range(args.rounds):
                for name, runner in (("ours", ours), ("peer", peer)):
                    rows[name].append(
                        runner.ask(args.batch, int(length), args.steps))
            o_cpu = least(rows["ours"], "cpu_ms_min")
            p_cpu = least(rows["peer"], "cpu_ms_min")
            o_wall = least(rows["ours"], "wall_ms_min")
            p_wall = least(rows["peer"], "wall_ms_min")
            table.append({"dtype": dtype, "batch": args.batch,
                          "len": int(length), "ours_cpu_ms": o_cpu,
                          "torch_cpu_ms": p_cpu, "ours_wall_ms": o_wall,
                          "torch_wall_ms": p_wall})
            print(f"| {dtype} | {args.batch} x {length} | {o_cpu:.0f} |"
                  f" {p_cpu:.0f} | {p_cpu / o_cpu:.2f} | {o_wall:.0f} |"
                  f" {p_wall:.0f} | {p_wall / o_wall:.2f} |", flush=True)
        ours.close()
        peer.close()
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(table, file, indent=1)


if __name__ == "__main__":
    main()
