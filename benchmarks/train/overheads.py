#!/usr/bin/env python3
"""overheads.py PROGRAM: what a run costs beside its steps.

Runs examples/zh_sentiment.toml for some steps of 32 rows x 64 tokens, three
ways in turn: as shipped (metrics.jsonl, event files, registry), without event
files and registry, and with a checkpoint every --save-every steps. Of each the
time split is printed: the steps (in the program), waiting for input, compiling,
and the rest of the time from the first batch to the last step, which is logging
and checkpoints. A first run fills the cache of programs.

A checkpoint is written beside the steps, so it costs twice: the copy of the
state that is taken between two steps, and the processor time that the two steps
after it lack (what they take beyond the median of the others).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


def one_run(words, settings):
    """The time split of a run in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        plain = ["train.max_steps=%d" % words.steps, "data.max_length=64",
                 "data.max_buckets=1", "data.dev_file=", "data.test_file=",
                 f"run.registry={folder}/registry.sqlite"]
        command = [words.program, "train", words.config, "--folder", run,
                   *[w for s in plain + settings for w in ("--set", s)]]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        with open(f"{run}/metrics.jsonl", encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
    steps = [line for line in lines if line["kind"] == "step"]
    out = {key: sum(line[f"{key}_s"] for line in steps)
           for key in ("step", "input", "compile")}
    out["rest"] = lines[-1]["train_s"] - sum(out.values())
    out["steps"] = [line["step_s"] for line in steps]
    out["median"] = statistics.median(out["steps"])
    return out


def slower_beside(steps, every):
    """How much longer two steps took, for each checkpoint beside them."""
    beside = [[i, i + 1] for i in range(every, len(steps) - 1, every)]
    among = {i for pair in beside for i in pair}
    # The first step of a run warms up.
    usual = statistics.median(s for i, s in enumerate(steps)
                              if i not in among and i > 0)
    return [sum(steps[i] - usual for i in pair) for pair in beside]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--config", default="examples/zh_sentiment.toml")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--save-every", type=int, default=10)
    words = parser.parse_args()
    if words.save_every < 4 or words.steps < 2 * words.save_every:
        parser.error("--save-every must be 4 or more, and --steps twice that")
    words.program = os.path.abspath(words.program)
    kinds = {"as shipped": [],
             "no events, no registry": ["run.events=false", "run.registry="],
             "with checkpoints": [f"train.save_every={words.save_every}"]}
    one_run(words, ["train.max_steps=2"])
    print("kind                    step ms   steps s  input %   rest %  "
          "rest ms/step")
    rest = {}
    slower = []
    for _ in range(words.rounds):
        for kind, settings in kinds.items():
            t = one_run(words, settings)
            busy = t["step"]
            rest.setdefault(kind, []).append(t["rest"])
            if kind == "with checkpoints":
                slower += slower_beside(t["steps"], words.save_every)
            print(f"{kind:22} {1000 * t['median']:8.1f} {busy:9.2f} "
                  f"{100 * t['input'] / busy:8.3f} "
                  f"{100 * t['rest'] / busy:8.3f} "
                  f"{1000 * t['rest'] / words.steps:13.2f}", flush=True)
    # The last one is written after the last step.
    saves = (words.steps - 1) // words.save_every
    between = (min(rest["with checkpoints"]) - min(rest["as shipped"])) / saves
    beside = statistics.median(slower)
    print(f"a checkpoint: {between:.3f} s between steps, {beside:.3f} s in the "
          f"steps beside it (median of {len(slower)}); below 2 % when "
          f"{(between + beside) / 0.02:.1f} s or more lie between two")
    return 0


if __name__ == "__main__":
    sys.exit(main())
