#!/usr/bin/env python3
"""Time PyTorch training steps of BERT on batches of given shapes.

Each step is whole: forward, backward, clipping, AdamW, dropout 0.1. Prints
one JSON line: per shape the median and least wall and CPU milliseconds.

  step_bench_torch.py --batch 32 --len 32,64,96,128 --dtype bf16
  step_bench_torch.py --file batches.json      shapes or batches from a file:
      {"shapes": [[batch, length], ...]}  or
      {"batches": [{"ids": [[...]], "mask": [[...]], "labels": [...]}, ...]}
      or a .npz with ids_0, mask_0, labels_0, ids_1, ...
  step_bench_torch.py --interactive            a line `BATCH LEN STEPS` on
      stdin runs that many steps and answers with one JSON line, so that two
      programs can take turns on a machine whose speed drifts
"""
import argparse
import json
import os
import statistics
import sys
import time

import torch

import bert_torch


def options():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--batch", type=int, default=32)
    add("--len", default="64", help="one length, or several with commas")
    add("--file", help="shapes or batches, see above")
    add("--interactive", action="store_true")
    add("--layers", type=int, default=4)
    add("--hidden", type=int, default=512)
    add("--heads", type=int, default=0, help="0: hidden / 64")
    add("--vocab", type=int, default=21128)
    add("--dropout", type=float, default=0.1)
    add("--dtype", choices=("f32", "bf16"), default="bf16")
    add("--threads", type=int, default=os.cpu_count())
    add("--warmup", type=int, default=3)
    add("--steps", type=int, default=10, help="timed steps of each shape")
    return parser.parse_args()


def random_batch(batch, length, vocab):
    """Rows of 60 to 100 % of the length, as buckets have them."""
    ids = torch.randint(1000, vocab, (batch, length))
    lengths = torch.randint(max(1, length * 6 // 10), length + 1, (batch, 1))
    mask = torch.arange(length)[None, :] < lengths
    return ids * mask, mask, torch.randint(0, 2, (batch,))


def batches_of(args):
    if not args.file:
        return [random_batch(args.batch, int(length), args.vocab)
                for length in args.len.split(",")]
    if args.file.endswith(".npz"):
        import numpy
        arrays = numpy.load(args.file, allow_pickle=False)
        count = sum(name.startswith("ids_") for name in arrays.files)
        rows = [{key: arrays[f"{key}_{n}"]
                 for key in ("ids", "mask", "labels")} for n in range(count)]
    else:
        with open(args.file, encoding="utf-8") as file:
            document = json.load(file)
        if "shapes" in document:
            return [random_batch(*shape, args.vocab)
                    for shape in document["shapes"]]
        rows = document["batches"]
    return [(torch.as_tensor(row["ids"]).long(),
             torch.as_tensor(row["mask"]).bool(),
             torch.as_tensor(row["labels"]).long()) for row in rows]


class Bench:
    def __init__(self, args):
        config = {
            "hidden_size": args.hidden, "vocab_size": args.vocab,
            "num_attention_heads": args.heads or args.hidden // 64,
            "num_hidden_layers": args.layers,
            "intermediate_size": 4 * args.hidden,
            "hidden_dropout_prob": args.dropout,
            "attention_probs_dropout_prob": args.dropout,
            "max_position_embeddings": 512, "type_vocab_size": 2,
            "layer_norm_eps": 1e-12}
        self.dtype = args.dtype
        self.model = bert_torch.BertClassifier(config).train()
        self.optimizer = bert_torch.adamw(self.model, 5e-5)

    def run(self, batch, steps):
        """Wall and CPU milliseconds of each step."""
        walls, cpus = [], []
        for _ in range(steps):
            wall, cpu = time.perf_counter(), time.process_time()
            bert_torch.train_step(self.model, self.optimizer, batch,
                                  self.dtype)
            walls.append(1e3 * (time.perf_counter() - wall))
            cpus.append(1e3 * (time.process_time() - cpu))
        return walls, cpus

    def measure(self, batch, steps):
        walls, cpus = self.run(batch, steps)
        return {"batch": batch[0].shape[0], "len": batch[0].shape[1],
                "steps": steps,
                "wall_ms": round(statistics.median(walls), 2),
                "wall_ms_min": round(min(walls), 2),
                "cpu_ms": round(statistics.median(cpus), 2),
                "cpu_ms_min": round(min(cpus), 2)}


def main():
    args = options()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    bench = Bench(args)
    if args.interactive:
        ready = {}
        for line in sys.stdin:
            batch, length, steps = (int(word) for word in line.split())
            if (batch, length) not in ready:
                ready[batch, length] = random_batch(batch, length, args.vocab)
                bench.run(ready[batch, length], args.warmup)
            print(json.dumps(bench.measure(ready[batch, length], steps)),
                  flush=True)
        return
    results = []
    for batch in batches_of(args):
        bench.run(batch, args.warmup)
        results.append(bench.measure(batch, args.steps))
    print(json.dumps({"engine": f"torch {torch.__version__}",
                      "dtype": args.dtype, "threads": args.threads,
                      "layers": args.layers, "hidden": args.hidden,
                      "dropout": args.dropout, "shapes": results}))


if __name__ == "__main__":
    main()
