"""What the peers of `kexue bench` share: arguments, start values, timing."""
import argparse
import json
import os
import resource
import sys
import time


def arguments(variants):
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("work")
    add("--start", required=True, help="written by kexue bench WORK --save")
    add("--dtype", choices=("f32", "bf16"), default="f32")
    add("--variant", choices=variants, default=variants[0])
    add("--threads", type=int, default=1)
    return parser.parse_args()


def limit_threads(n):
    """Before the framework is imported."""
    os.environ["OMP_NUM_THREADS"] = str(n)
    os.environ["OPENBLAS_NUM_THREADS"] = str(n)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])


def serve(step):
    """A line N on stdin: N steps, answered with the least times."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        wall, cpu, loss = float("inf"), float("inf"), 0.0
        for _ in range(int(line)):
            begin, begin_cpu = time.perf_counter(), time.process_time()
            loss = float(step())
            wall = min(wall, time.perf_counter() - begin)
            cpu = min(cpu, time.process_time() - begin_cpu)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"wall_s": wall, "cpu_s": cpu, "loss": loss,
                          "peak_rss_mb": peak}), flush=True)
