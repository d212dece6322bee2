#!/usr/bin/env python3
"""Fine-tune bge-small-zh on the Chinese reviews with PyTorch: the peer run.

The same work as `kexue demo`: 2 epochs, batch 32, lr 5e-5, AdamW (decay 0.01,
not on biases and LayerNorm), warm-up over 10 % of the steps, then linear to
0, dropout 0.1, clip 1.0, at most 128 tokens, length buckets, bf16 autocast.

Budget: 868 steps, about 1,000 CPU seconds; --steps N stops early.
Run:    ./dev bench-peer bert_finetune_torch.py --seed 1 --json
"""
import argparse
import json
import os
import random
import sys
import time

import torch
from tokenizers import Tokenizer

import bert_torch

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("KEXUE_CACHE",
                       os.path.join(HERE, "..", "..", ".cache", "kexue"))


def options():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--model", default=os.path.join(CACHE, "data", "bge_zh"))
    add("--data", default=os.path.join(CACHE, "data", "zh_text"))
    add("--dtype", choices=("f32", "bf16"), default="bf16")
    add("--seed", type=int, default=1)
    add("--epochs", type=int, default=2)
    add("--steps", type=int, default=0, help="stop after N steps; 0: all")
    add("--batch", type=int, default=32)
    add("--lr", type=float, default=5e-5)
    add("--dropout", type=float, default=0.1)
    add("--max-len", type=int, default=128)
    add("--buckets", default="32,64,96,128",
        help="lengths to pad to; 'none': to the longest row of the batch")
    add("--threads", type=int, default=os.cpu_count())
    add("--json", action="store_true", help="one JSON line on stdout")
    return parser.parse_args()


def read_split(folder, part, tokenizer, max_len):
    """Rows (ids, label) of one TSV file, `label<TAB>text`."""
    path = os.path.join(folder, f"zh_sentiment.{part}.tsv")
    with open(path, encoding="utf-8") as file:
        pairs = [line.rstrip("\n").split("\t", 1) for line in file]
    tokenizer.enable_truncation(max_len)
    encoded = tokenizer.encode_batch([text for _, text in pairs])
    return [(row.ids, int(label)) for row, (label, _) in zip(encoded, pairs)]


def make_batches(rows, size, order, chunk_batches=64):
    """Rows of similar length together: the order is cut into chunks, each is
    sorted by length, so that shuffling stays while padding goes."""
    batches, chunk = [], size * chunk_batches
    for start in range(0, len(order), chunk):
        part = sorted(order[start:start + chunk],
                      key=lambda i: len(rows[i][0]))
        batches += [part[i:i + size] for i in range(0, len(part), size)]
    return batches


def collate(rows, batch, buckets):
    longest = max(len(rows[i][0]) for i in batch)
    width = next((b for b in buckets if b >= longest), longest)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    mask = torch.zeros(len(batch), width, dtype=torch.bool)
    for n, i in enumerate(batch):
        row = torch.tensor(rows[i][0])
        ids[n, :len(row)] = row
        mask[n, :len(row)] = True
    return ids, mask, torch.tensor([rows[i][1] for i in batch])


@torch.inference_mode()
def accuracy(model, rows, args):
    model.eval()
    right = 0
    for batch in make_batches(rows, 64, list(range(len(rows)))):
        ids, mask, labels = collate(rows, batch, args.buckets)
        with torch.autocast("cpu", torch.bfloat16,
                            enabled=args.dtype == "bf16"):
            logits = model(ids, mask)
        right += (logits.argmax(-1) == labels).sum().item()
    model.train()
    return right / len(rows)


def train(model, rows, args):
    """Runs the steps; returns their wall times by width and the last loss."""
    optimizer = bert_torch.adamw(model, args.lr)
    per_epoch = (len(rows) + args.batch - 1) // args.batch
    total = args.epochs * per_epoch
    warm_up = max(1, total // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm_up,
                                 max(0.0, (total - s) / (total - warm_up))))
    shuffle, walls, step, loss = random.Random(args.seed), {}, 0, None
    for _ in range(args.epochs):
        order = list(range(len(rows)))
        shuffle.shuffle(order)
        batches = make_batches(rows, args.batch, order)
        shuffle.shuffle(batches)
        for indices in batches:
            batch = collate(rows, indices, args.buckets)
            start = time.perf_counter()
            loss = bert_torch.train_step(model, optimizer, batch, args.dtype)
            schedule.step()
            walls.setdefault(batch[0].shape[1], []).append(
                time.perf_counter() - start)
            step += 1
            if not args.json and step % 50 == 0:
                print(f"step {step}/{total} loss {loss.item():.4f}",
                      file=sys.stderr)
            if step == args.steps:
                return walls, step, loss.item()
    return walls, step, loss.item()


def main():
    args = options()
    args.buckets = ([] if args.buckets == "none" else
                    sorted(int(b) for b in args.buckets.split(",")))
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    tokenizer = Tokenizer.from_file(os.path.join(args.model,
                                                 "tokenizer.json"))
    tokenizer.no_padding()
    rows = read_split(args.data, "train", tokenizer, args.max_len)
    test = read_split(args.data, "test", tokenizer, args.max_len)
    model = bert_torch.load(args.model, dropout=args.dropout).train()

    wall, cpu = time.perf_counter(), time.process_time()
    walls, steps, loss = train(model, rows, args)
    wall = time.perf_counter() - wall
    cpu = time.process_time() - cpu
    result = {
        "torch": torch.__version__, "dtype": args.dtype, "seed": args.seed,
        "threads": args.threads, "steps": steps, "loss": round(loss, 4),
        "test_accuracy": round(accuracy(model, test, args), 4),
        "train_seconds": round(wall, 1), "train_cpu_seconds": round(cpu, 1),
        "step_ms": round(1e3 * sum(map(sum, walls.values())) / steps, 1),
        "step_ms_by_length": {
            length: {"steps": len(times),
                     "median_ms": round(1e3 * sorted(times)[len(times) // 2],
                                        1)}
            for length, times in sorted(walls.items())},
    }
    if args.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:18} {value}")


if __name__ == "__main__":
    main()
