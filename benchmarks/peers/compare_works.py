#!/usr/bin/env python3
"""Every work of `kexue bench` against PyTorch and JAX, taking turns.

  compare_works.py --kexue build/release/kexue [--works bert-train,...]
      [--dtypes f32,bf16] [--threads 1] [--rounds 4] [--steps 2] [--page FILE]

All programs start from the same tensors and stay alive; in each round each
runs a few steps, so that a drift of the machine meets all of them. A row shows
the least seconds of a step (CPU of the process, wall), the ratio of the best
peer to ours (above 1: ours is faster), and how far the losses after the same
number of steps are apart. "At most" is what the ratio would be if our step
were its matrix products alone, at the best rate that this processor reached in
a product of 1024 x 1024 just before.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TORCH = ("torch eager", "works_torch.py", "eager")
COMPILED = ("torch.compile", "works_torch.py", "compile")
JAX = ("jax", "works_jax.py", "unrolled")
PEERS = {
    "bert-train": (TORCH, COMPILED, JAX),
    "bert-embed": (TORCH, COMPILED, JAX),
    "bert-embed-mixed": (TORCH, JAX),
    "gpt-train": (TORCH, COMPILED, JAX),
    "unet-train": (TORCH, COMPILED, JAX),
    "mlp-wgan-gp": (TORCH, JAX),
    "lru-scan": (("jax", "works_jax.py", "scan"),),
    "deep-scan": (("jax", "works_jax.py", "scan"),
                  ("jax remat", "works_jax.py", "remat"), TORCH),
    "cosent": (TORCH, JAX),
    "knn": (TORCH, JAX),
    "adamw": (TORCH, JAX),
}
OPTAX = ("optax", "works_jax.py", "unrolled")
for rule in ("sgd", "adam", "adamw", "adagrad", "muon"):
    PEERS[f"update-{rule}"] = (TORCH, OPTAX)
for rule in ("rmsprop", "adafactor_v1"):
    PEERS[f"update-{rule}"] = (TORCH,)
for rule in ("adafactor", "lamb", "lars", "lion", "adan",
             "schedule_free_adamw"):
    PEERS[f"update-{rule}"] = (OPTAX,)
F32_ONLY = {"lru-scan", "cosent", "knn", "adamw"} | {
    work for work in PEERS if work.startswith("update-")} - {"update-muon"}


class Runner:
    def __init__(self, name, command, threads, log):
        self.name, self.rows = name, []
        cpus = sorted(os.sched_getaffinity(0))[:threads]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=log, preexec_fn=lambda: os.sched_setaffinity(0, cpus),
            env=dict(os.environ, OMP_NUM_THREADS=str(threads)))
        line = self.process.stdout.readline()
        self.alive = bool(line)
        self.ready = json.loads(line) if line else {}

    def run(self, steps):
        if not self.alive:
            return
        try:
            self.process.stdin.write(f"{steps}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            self.rows.append(json.loads(line))
        else:
            self.alive = False

    def best(self, key):
        """Without the first call, which compiled."""
        return min(row[key] for row in self.rows[1:] or self.rows)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def peak_gflops(args, dtype, log):
    """Of one thread of this machine, now."""
    cpus = sorted(os.sched_getaffinity(0))[:1]
    done = subprocess.run(
        [args.kexue, "profile", "adamw", "--sizes", "N=1", "--dtype", dtype,
         "--threads", "1", "--json"], stdout=subprocess.PIPE, stderr=log,
        check=True, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    return json.loads(done.stdout)["peak_gflops"]


def compare(args, work, dtype, log):
    with tempfile.TemporaryDirectory() as folder:
        start = os.path.join(folder, "start.safetensors")
        sizes = ["--sizes", args.sizes] if args.sizes else []
        ours = Runner("kexue", [
            args.kexue, "bench", work, "--dtype", dtype, "--serve", "--threads",
            str(args.threads), "--save", start] + sizes, args.threads, log)
        if not ours.alive:
            raise SystemExit(f"kexue bench {work} did not start")
        peers = [Runner(name, [
            sys.executable, os.path.join(HERE, script), work, "--start", start,
            "--dtype", dtype, "--variant", variant, "--threads",
            str(args.threads)], args.threads, log)
            for name, script, variant in PEERS[work]]
        runners = [ours] + peers
        for runner in runners:
            runner.run(2)  # compile and warm up
        for _ in range(args.rounds):
            for runner in runners:
                runner.run(args.steps)
        for runner in runners:
            runner.close()
        peers = [p for p in peers if p.alive]
    if not ours.alive or not peers:
        raise SystemExit(f"{work} in {dtype}: a program ended early, see "
                         f"{args.log}")
    cells = []
    for key in ("cpu_s", "wall_s"):
        best = min(p.best(key) for p in peers)
        cells += [f"{ours.best(key):.4f}",
                  ", ".join(f"{p.name} {p.best(key):.4f}" for p in peers),
                  f"**{best / ours.best(key):.2f}**"]
        if key == "cpu_s":
            floor = ours.ready["flops"] / (1e9 * peak_gflops(args, dtype, log))
            cells.append(f"{best / floor:.1f}" if floor > 1e-4 else "-")
    cells.append(", ".join(f"{r.rows[-1]['peak_rss_mb']:.0f}"
                           for r in [ours] + peers))
    apart = max(abs(p.rows[-1]["loss"] - ours.rows[-1]["loss"]) for p in peers)
    scale = max(1e-6, abs(ours.rows[-1]["loss"]))
    return f"| {work} | {dtype} | " + " | ".join(cells) + (
        f" | {apart / scale:.1e} |")


HEAD = """| work | dtype | ours CPU s | peers | ratio | at most | ours wall s | \
peers | ratio | peak MB: ours, peers | losses apart |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--kexue", required=True)
    add("--works", default=",".join(PEERS))
    add("--sizes", default="")
    add("--dtypes", default="f32,bf16")
    add("--threads", type=int, default=1)
    add("--rounds", type=int, default=4)
    add("--steps", type=int, default=2)
    add("--page", help="append the table there")
    add("--log", default=os.devnull, help="what the programs say")
    args = parser.parse_args()
    lines = [HEAD]
    print(HEAD, flush=True)
    with open(args.log, "a", encoding="utf-8") as log:
        for work in args.works.split(","):
            for dtype in args.dtypes.split(","):
                if dtype != "f32" and work in F32_ONLY:
                    continue
                lines.append(compare(args, work, dtype, log))
                print(lines[-1], flush=True)
    if args.page:
        from importlib.metadata import version
        said = ", ".join(f"{n} {version(n)}" for n in ("torch", "jax"))
        with open(args.page, "a", encoding="utf-8") as page:
            page.write(f"\n{said}, Python {platform.python_version()}, "
                       f"{args.threads} thread(s), {args.rounds} rounds of "
                       f"{args.steps} steps\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
