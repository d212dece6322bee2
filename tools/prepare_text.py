#!/usr/bin/env python3
"""Makes the text files that the program reads.

  prepare_text.py reviews POSITIVE NEGATIVE FOLDER
      -> FOLDER/zh_sentiment.{train,dev,test}.tsv, lines `label<TAB>text`
  prepare_text.py scores GROUND_TRUTH FOLDER NAME
      -> FOLDER/NAME.{train,dev,test}.tsv, lines `score<TAB>text`
  prepare_text.py poems FOLDER PREFIX FILE.tsv
      -> from FOLDER/PREFIX.N.json, lines `title<TAB>author<TAB>text`
  prepare_text.py split FILE.tsv FOLDER NAME
      -> FOLDER/NAME.{train,dev,test}.tsv, the lines by their last column
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


def part_of(text):
    return PART_OF_CRC.get(zlib.crc32(text.encode("utf-8")) % 10, "train")


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.writelines(line + "\n" for line in lines)


def write_parts(lines, folder, name):
    """Lines of columns; the last column is the text."""
    parts = {"train": [], "dev": [], "test": []}
    for columns in lines:
        parts[part_of(columns[-1])].append("\t".join(columns))
    for part, rows in parts.items():
        write_lines(os.path.join(folder, f"{name}.{part}.tsv"), rows)


def write_labelled(rows, folder, name):
    labels = {}  # text -> its label, or None once two labels were seen
    for label, text in rows:
        if text and labels.setdefault(text, label) != label:
            labels[text] = None
    write_parts(((label, text) for text, label in labels.items()
                 if label is not None), folder, name)


def one_line(text):
    return " ".join(text.split())


def reviews(positive, negative, folder):
    rows = []
    for path, label in ((positive, "1"), (negative, "0")):
        with open(path, encoding="utf-8", newline="") as lines:
            rows += [(label, one_line(x)) for x in lines.read().split("\n")]
    write_labelled(rows, folder, "zh_sentiment")


def scores(truth, folder, name):
    rows = []
    with open(truth, "rb") as lines:
        for line in lines.read().split(b"\n"):
            try:
                line = line.decode("utf-8")
            except UnicodeDecodeError:
                line = line.decode("latin-1")
            columns = line.rstrip("\r").split("\t")
            if len(columns) == 3:
                rows.append((f"{float(columns[1]):.4f}", one_line(columns[2])))
    write_labelled(rows, folder, name)


def poems(folder, prefix, path):
    def number(name):  # "ci.song.2019y.json" is among them
        return int("".join(c for c in name if c.isdigit()))

    rows = []
    files = [f for f in os.listdir(folder) if f.startswith(prefix + ".")]
    for name in sorted(files, key=number):
        with open(os.path.join(folder, name), encoding="utf-8") as source:
            for poem in json.load(source):
                text = one_line("".join(poem.get("paragraphs", [])))
                title = poem.get("title") or poem.get("rhythmic") or ""
                if text:
                    rows.append("\t".join((one_line(title),
                                           one_line(poem.get("author") or ""),
                                           text)))
    write_lines(path, rows)


def split(path, folder, name):
    with open(path, encoding="utf-8", newline="\n") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    first = {row[-1]: row for row in reversed(rows)}  # each text once
    write_parts(reversed(first.values()), folder, name)


def vocab(tokenizer, path):
    with open(tokenizer, encoding="utf-8") as source:
        ids = json.load(source)["model"]["vocab"]
    pieces = sorted(ids, key=ids.__getitem__)
    if [ids[piece] for piece in pieces] != list(range(len(pieces))):
        sys.exit(f"{tokenizer}: the ids are not 0..{len(pieces) - 1}")
    write_lines(path, pieces)


def hmm(start, trans, emit, path):
    model = {}
    for name, source in (("start", start), ("trans", trans), ("emit", emit)):
        with open(source, encoding="utf-8") as text:
            code = text.read()
        model[name] = ast.literal_eval(code[code.index("{"):])
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        json.dump(model, out, sort_keys=True)
        out.write("\n")


COMMANDS = {"reviews": (reviews, 3), "scores": (scores, 3),
            "poems": (poems, 3), "split": (split, 3), "vocab": (vocab, 2),
            "hmm": (hmm, 4)}

if __name__ == "__main__":
    run, count = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "",
                              (None, 0))
    if run is None or len(sys.argv) != 2 + count:
        sys.exit(__doc__)
    run(*sys.argv[2:])
