#!/usr/bin/env python3
"""make_bpe.py ENCODER.json VOCAB.bpe OUT.json: GPT-2 ids of awkward texts, by
the reference implementation (pip tokenizers 0.23)."""
import json
import random
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

TEXTS = [
    "", " ", "  ", "\n", "\n\n", " \n ", "a", " a", "a ", "a  b", "a   b  ",
    "Hello world!", "def f(x):\n    return x**2  # na\u00efve",
    "\u6211\u7231\u5317\u4eac\u5929\u5b89\u95e8 \U0001F642",
    "it's 3,141.59 they'll we've I'd I'm 'tis don't can'T 'S",
    "\u5317\u4eac\u65f6\u95f42024\u5e74BERT\u6a21\u578bunaffable",
    "tabs\tand\r\nlines\u2028here", "\u00a0nbsp\u3000wide \u2003em",
    "\u0661\u0662\u0663 \u00bd \u2167 \u00b2", "e\u0301 \u0915\u093f",
    "\x00\x01\x1f\x7f", "!!! ... ---- ====>>", "a" * 300, "ab" * 200,
    " " * 50 + "x", "\ufeffmark", "<|endoftext|>", "x<|endoftext|>y",
    "'ll 's 're", "''s", " 's", "a'lling", "\U0001F468\u200D\U0001F469",
]


def main(encoder, merges, path):
    tokenizer = Tokenizer(models.BPE.from_file(encoder, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    rng = random.Random(1)
    texts = list(TEXTS)
    pool = ["the", "The", " ", "  ", "\n", "'", "s", "ll", "7", "42", "\u00e9",
            "\u4e2d", "-", "_", ".", "\t", "\u2019", "ing", "XY", "\U0001F600"]
    for _ in range(120):
        texts.append("".join(rng.choice(pool)
                             for _ in range(rng.randrange(1, 25))))
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.write('{"about": "GPT-2 ids by tokenizers 0.23",\n "items": [\n')
        out.write(",\n".join(
            "  " + json.dumps({"text": t, "ids": tokenizer.encode(t).ids})
            for t in texts))
        out.write("\n ]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
