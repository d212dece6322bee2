#!/usr/bin/env python3
"""permission_test.py PROGRAM PROJECT: what a user may not read or write is
named. Root may do all, so the program then runs as another user."""
import os
import sys
import unittest

from program import Base

DENIED = "Permission denied"


class Permissions(Base):
    def setUp(self):
        self.who = self.as_nobody()
        for folder, mode in (("closed", 0), ("list", 0o444), ("fixed", 0o555),
                             ("deep", 0o755), ("deep/closed", 0)):
            os.makedirs(f"{self.at}/{folder}", exist_ok=True)
            if not os.listdir(f"{self.at}/{folder}") and folder != "deep":
                self.write(f"{folder}/a.txt", b"a b\n")
            os.chmod(f"{self.at}/{folder}", mode)
        self.write("open.txt", b"a b\n")
        for name in ("secret.txt", "secret.toml", "secret.json",
                     "secret.safetensors"):
            os.chmod(self.write(name, b"x"), 0)

    def tearDown(self):
        for folder in "closed", "list", "fixed", "deep/closed":
            os.chmod(f"{self.at}/{folder}", 0o755)
        for name in os.listdir(self.at):
            if name.startswith("secret"):
                os.remove(f"{self.at}/{name}")

    def denied(self, path, *words):
        with self.subTest(words=words):
            self.fails(3, [f"{path}: {DENIED}"], *words, **self.who)

    def test_files_and_folders_to_count(self):
        self.denied("secret.txt", "wordfreq", "secret.txt")
        self.denied("secret.txt", "wordfreq", "open.txt", "secret.txt",
                    "--threads", "2")
        self.denied("secret.txt", "wordfreq", "secret.txt", "--mmap")
        self.denied("closed", "wordfreq", "closed")
        self.denied("closed/a.txt", "wordfreq", "closed/a.txt")
        self.denied("deep/closed", "wordfreq", "deep")
        self.denied("list/a.txt", "wordfreq", "list")

    def test_models(self):
        for kind in "jieba", "wordpiece", "bpe":
            with self.subTest(kind=kind):
                self.fails(3, ["closed", DENIED], "wordfreq", "--tokenizer",
                           kind, "--model", "closed", "open.txt", **self.who)
        self.denied("secret.safetensors", "inspect", "secret.safetensors")

    def test_scenarios_and_figures(self):
        self.denied("secret.toml", "hot-water", "secret.toml")
        self.denied("secret.json", "colourings", "secret.json")

    def test_results(self):
        for words in (("wordfreq", "open.txt", "--out", "fixed/t.tsv"),
                      ("hot-water", "--scheme", "N", "--page", "fixed/p.html"),
                      ("colourings", "--grid", "1x1", "--picture",
                       "fixed/c.svg"),
                      ("abc", "--plot", "fixed/p.html")):
            with self.subTest(words=words):
                self.fails(3, ["fixed/", DENIED], *words, **self.who)
        text = b" ".join(b"%d-%d" % (i, i % 7) for i in range(150_000))
        self.write("many.txt", text)
        self.fails(3, ["fixed", DENIED], "wordfreq", "many.txt", "--memory",
                   "1", "--spill", "fixed", **self.who)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
