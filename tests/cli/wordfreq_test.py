#!/usr/bin/env python3
"""wordfreq_test.py PROGRAM PROJECT: kexue wordfreq against Python's counts."""
import collections
import gzip
import json
import os
import random
import unittest

from program import CACHE, Base


def table(counts):
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return b"".join(b"%s\t%d\n" % row for row in rows)


def corpus(words):
    rng = random.Random(1)
    parts = []
    for _ in range(words):
        word = b"%x" % int(2 ** (rng.random() * 18))
        if rng.random() < 0.1:
            word = word * 5 + "\u4f60\u597d".encode()
        parts.append(word + rng.choice([b" ", b"\n", b"\t ", b"\r\n", b"\v"]))
    return b"".join(parts)


class Wordfreq(Base):
    def bytes_of(self, *words, **options):
        done = self.run_program("wordfreq", *words, **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def test_modes_threads_and_inputs_give_the_table_of_python(self):
        text = corpus(60_000)
        wanted = table(collections.Counter(text.split()))
        plain = self.write("plain", text)
        packed = self.write("packed.gz", gzip.compress(text))
        for mode in "naive", "batched", "radix", "auto":
            for threads in "1", "2", "5":
                self.assertEqual(
                    self.bytes_of(plain, "--mode", mode, "--threads", threads),
                    wanted)
        for words in [packed], [plain, "--mmap"], ["-"], []:
            self.assertEqual(self.bytes_of(*words, text=text), wanted)
        self.bytes_of(plain, "--out", "table.tsv")
        with open(f"{self.at}/table.tsv", "rb") as file:
            self.assertEqual(file.read(), wanted)

    def test_spilling_gives_the_same_table(self):
        text = b" ".join(b"%d-%d" % (i, i % 7) for i in range(150_000))
        path = self.write("many", text)
        done = self.run_program("wordfreq", path, "--memory", "1",
                                "--threads", "2", "--spill", self.at)
        self.assertEqual(done.stdout, table(collections.Counter(text.split())))
        self.assertIn(b"spilled to disk", done.stderr)

    def test_top_and_min_count(self):
        text = b"b a a c c c"
        self.assertEqual(self.bytes_of("--top", "2", text=text), b"c\t3\na\t2\n")
        self.assertEqual(self.bytes_of("--min-count", "3", text=text), b"c\t3\n")
        self.assertEqual(self.bytes_of("--top", "0", text=text), b"")
        self.assertEqual(self.bytes_of(text=b""), b"")

    def test_json(self):
        out = json.loads(self.bytes_of("--json", "--top", "1", text=b"a b a"))
        self.assertEqual(out["tokens"], 3)
        self.assertEqual(out["distinct"], 2)
        self.assertEqual(out["top"], [{"token": "a", "count": 2}])

    def test_unicode_words_and_broken_text(self):
        done = self.run_program("wordfreq", "--tokenizer", "unicode",
                                text=b"can't stop\xff \xe6\x88\x91.\n")
        self.assertEqual(sorted(done.stdout.split(b"\n")[:-1]),
                         sorted([b"can't\t1", b"stop\t1",
                                 b"\xe6\x88\x91\t1"]))
        self.assertIn(b"1 places of broken UTF-8", done.stderr)
        path = self.write("bad", b"ok\nb\xff\n")
        self.fails(3, [f"{path}: not UTF-8 at byte 4"], "wordfreq", path,
                   "--strict")

    def test_pieces(self):
        out = self.bytes_of("--tokenizer", "wordpiece", "--model", "bert",
                            text=b"good books good\n")
        self.assertEqual(out, b"good\t2\n##s\t1\nbook\t1\n")
        vocabulary = f"{CACHE}/data/vocab"
        if not os.path.exists(f"{vocabulary}/gpt2_vocab.bpe"):
            self.skipTest("no vocabulary: ./dev fetch vocab gets it")
        out = self.bytes_of("--tokenizer", "bpe", "--model", vocabulary,
                            text=b"Hello world world\n")
        self.assertEqual(out, "\u0120world\t2\nHello\t1\n".encode())

    def test_bench_prints_all_ways_and_a_page(self):
        path = self.write("some", corpus(5_000))
        out = json.loads(self.bytes_of(
            path, "--bench", "--repeats", "1", "--threads", "2", "--json",
            "--page", "bench.html"))
        self.assertEqual(
            [(row["way"], row["threads"]) for row in out["rows"]],
            [("naive", 1), ("batched serial", 1), ("batched parallel", 2),
             ("ours serial", 1), ("ours parallel", 2),
             ("split and hash only", 1), ("split and hash only", 2)])
        self.assertEqual(out["rows"][0]["speed_up"], 1)
        self.assertEqual(out["tokens"], 5_000)
        with open(f"{self.at}/bench.html", encoding="utf-8") as page:
            self.assertIn("Growth of the vocabulary", page.read())
        text = self.bytes_of(path, "--bench", "--repeats", "1").decode()
        self.assertIn("Heaps: distinct = ", text)

    def test_errors_name_the_place(self):
        self.fails(2, ["nowhere: No such file"], "wordfreq", "nowhere")
        os.makedirs(f"{self.at}/empty", exist_ok=True)
        self.fails(2, ["empty: no file in this folder"], "wordfreq", "empty")
        self.fails(2, ["--model"], "wordfreq", "--tokenizer", "ws", "--model",
                   "bert")
        self.fails(2, ["--threads"], "wordfreq", "--threads", "-1")
        self.fails(2, ["--top"], "wordfreq", "--top", "-5")
        self.fails(2, ["--mode"], "wordfreq", "--mode", "fast")
        self.fails(2, ["standard input"], "wordfreq", "--bench")
        cut = self.write("cut.gz", gzip.compress(b"a" * 1000)[:-4])
        self.fails(3, ["cut.gz: the gzip stream is cut short"], "wordfreq", cut)


if __name__ == "__main__":
    unittest.main(argv=["wordfreq_test.py"])
