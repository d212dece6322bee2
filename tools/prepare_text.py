#!/usr/bin/env python3
"""Makes the text files that the program reads.

  prepare_text.py reviews POSITIVE NEGATIVE FOLDER
      -> FOLDER/zh_sentiment.{train,dev,test}.tsv, lines `label<TAB>text`
  prepare_text.py vocab TOKENIZER.json VOCAB.txt
      -> one WordPiece a line, the line number is the id
  prepare_text.py hmm PROB_START.py PROB_TRANS.py PROB_EMIT.py HMM.json
      -> jieba's model of word parts; the files are read as data, not run

Half of the reviews in the package are repeated, and some stand in both
classes. A text is kept once, and not at all when its labels disagree; the
split depends on the text alone (crc32 modulo 10: 0 test, 1 dev, else train),
so no text can be in two parts.
"""
import ast
import json
import os
import sys
import zlib

PART_OF_CRC = {0: "test", 1: "dev"}


def reviews(positive, negative, folder):
    labels = {}  # text -> its label, or None once two labels were seen
    for path, label in ((positive, "1"), (negative, "0")):
        with open(path, encoding="utf-8", newline="") as lines:
            for line in lines.read().split("\n"):
                text = " ".join(line.split())
                if text and labels.setdefault(text, label) != label:
                    labels[text] = None
    parts = {"train": [], "dev": [], "test": []}
    for text, label in labels.items():
        if label is not None:
            crc = zlib.crc32(text.encode("utf-8"))
            parts[PART_OF_CRC.get(crc % 10, "train")].append((label, text))
    for part, rows in parts.items():
        path = os.path.join(folder, f"zh_sentiment.{part}.tsv")
        with open(path, "w", encoding="utf-8", newline="\n") as out:
            out.writelines(f"{label}\t{text}\n" for label, text in rows)


def vocab(tokenizer, path):
    with open(tokenizer, encoding="utf-8") as source:
        ids = json.load(source)["model"]["vocab"]
    pieces = sorted(ids, key=ids.__getitem__)
    if [ids[piece] for piece in pieces] != list(range(len(pieces))):
        sys.exit(f"{tokenizer}: the ids are not 0..{len(pieces) - 1}")
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{piece}\n" for piece in pieces)


def hmm(start, trans, emit, path):
    model = {}
    for name, source in (("start", start), ("trans", trans), ("emit", emit)):
        with open(source, encoding="utf-8") as text:
            code = text.read()
        model[name] = ast.literal_eval(code[code.index("{"):])
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        json.dump(model, out, sort_keys=True)
        out.write("\n")


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] == "reviews":
        reviews(*sys.argv[2:])
    elif len(sys.argv) == 4 and sys.argv[1] == "vocab":
        vocab(*sys.argv[2:])
    elif len(sys.argv) == 6 and sys.argv[1] == "hmm":
        hmm(*sys.argv[2:])
    else:
        sys.exit(__doc__)
