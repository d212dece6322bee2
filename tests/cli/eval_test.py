#!/usr/bin/env python3
"""eval_test.py PROGRAM PROJECT: kexue eval on models that score or fill in.

What it prints is held against the figures of the run that made the model, and
against the same figures made here from what kexue predict says.
"""
import json
import math
import sys
import unittest

from program import Base, needs_plugin

SCORES = {"good": 1.5, "bad": -0.75}


def pearson(x, y):
    mx, my = sum(x) / len(x), sum(y) / len(y)
    xy = sum((a - mx) * (b - my) for a, b in zip(x, y))
    return xy / math.sqrt(sum((a - mx) ** 2 for a in x) *
                          sum((b - my) ** 2 for b in y))


def ranks(x):
    """From 1; equal values have the mean of their ranks."""
    order = sorted(x)
    return [order.index(v) + (order.count(v) + 1) / 2 for v in x]


@needs_plugin
class Eval(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("train", "test"):
            with open(f"{cls.at}/{name}.tsv", encoding="utf-8") as file:
                texts = [line.rstrip("\n").split("\t")[1] for line in file]
            with open(f"{cls.at}/{name}.scores.tsv", "w",
                      encoding="utf-8") as file:
                for n, text in enumerate(texts):
                    mood = "bad" if "bad" in text else "good"
                    file.write(f"{SCORES[mood] + n % 3 / 8}\t{text}\n")
        cls.runs = {}

    def run_of(self, task, folder=None, settings=()):
        """The test split's figures of a run; runs/TASK, or the folder."""
        folder = folder or task
        if folder in self.runs:
            return self.runs[folder]
        files = "scores.tsv" if task == "regress" else "tsv"
        config = self.write(f"{task}.toml", "\n".join([
            "[model]", 'model = "bert"', "[data]",
            f'train_file = "train.{files}"', f'test_file = "test.{files}"',
            "max_length = 16", "max_buckets = 1", "[train]",
            f'task = "{task}"', "batch_size = 8", "lr = 2e-3", "epochs = 2",
            'precision = "f32"', "seed = 5", ""]).encode())
        words = [word for s in settings for word in ("--set", s)]
        text = self.works("train", config, "--folder", f"runs/{folder}",
                          "--json", *words)
        self.runs[folder] = json.loads(text)["evals"]["test"]
        return self.runs[folder]

    def score(self, task, *words):
        return json.loads(self.works("eval", "--model", f"runs/{task}/model",
                                     "--json", *words))

    def agree(self, got, want, names):
        for name in names:
            self.assertAlmostEqual(got[name], want[name], 5, name)

    def test_a_regression_has_the_figures_of_its_run(self):
        want = self.run_of("regress")
        got = self.score("regress", "--data", "test.scores.tsv")
        self.assertEqual((got["task"], got["rows"], got["skipped"]),
                         ("regress", 16, 0))
        self.agree(got, want, ["loss", "mse", "pearson", "spearman",
                               "sign_accuracy"])

    def test_a_regression_has_the_figures_of_its_predictions(self):
        self.run_of("regress")
        with open(f"{self.at}/test.scores.tsv", encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        wanted = [float(row[0]) for row in rows]
        said = self.rows("predict", "--model", "runs/regress/model", "--json",
                         text="".join(row[1] + "\n" for row in rows))
        scores = [row["score"] for row in said]
        got = self.score("regress", "--data", "test.scores.tsv",
                         "--sign-margin", "0.7")
        mse = sum((a - b) ** 2 for a, b in zip(scores, wanted)) / len(rows)
        kept = [(a, b) for a, b in zip(scores, wanted) if abs(b) >= 0.7]
        self.assertLess(len(kept), len(rows))
        self.agree(got, {
            "loss": mse, "mse": mse, "pearson": pearson(scores, wanted),
            "spearman": pearson(ranks(scores), ranks(wanted)),
            "sign_accuracy": sum(a * b > 0 for a, b in kept) / len(kept),
        }, ["loss", "mse", "pearson", "spearman", "sign_accuracy"])
        self.assertIn("pearson ", self.works(
            "eval", "--model", "runs/regress/model", "--data",
            "test.scores.tsv"))

    def test_names_of_columns_and_keys(self):
        self.run_of("regress")
        csv = self.write("few.csv", b'how,what\n1.5,"a good, good book"\n'
                                    b"-0.75,a bad film\n")
        lines = self.write("few.jsonl",
                           b'{"how": 1.5, "what": "a good, good book"}\n'
                           b'{"how": -0.75, "what": "a bad film"}\n')
        names = ["--label-field", "how", "--text-field", "what"]
        one = self.score("regress", "--data", csv, "--header", *names)
        two = self.score("regress", "--data", lines, *names)
        self.assertEqual(one["rows"], 2)
        self.assertEqual({**one, "data": ""}, {**two, "data": ""})

    def test_what_has_no_correlation_is_null(self):
        self.run_of("regress")
        path = self.write("same.tsv", b"0\tgood\n0\tbad\n")
        got = self.score("regress", "--data", path)
        self.assertIsNone(got["pearson"])
        self.assertIsNone(got["sign_accuracy"])

    def test_masked_tokens_have_the_figures_of_the_run(self):
        for style in ("roberta", "bert"):
            want = self.run_of("masked_lm", style,
                               [f"masked_lm.style={style}",
                                "masked_lm.probability=0.3"])
            words = ["eval", "--model", f"runs/{style}/model", "--json",
                     "--data", "test.tsv", "--mask-style", style,
                     "--mask-probability", "0.3"]
            got = json.loads(self.works(*words, "--seed", "5"))
            self.assertEqual((got["task"], got["rows"]), ("masked_lm", 16))
            self.agree(got, want, ["loss", "accuracy", "perplexity"])
            self.assertAlmostEqual(got["perplexity"], math.exp(got["loss"]))
            self.assertGreater(got["masked"], 16)
            other = json.loads(self.works(*words, "--seed", "6"))
            self.assertNotEqual(other["loss"], got["loss"])

    def test_the_head_must_be_there(self):
        self.run_of("regress")
        self.fails(2, ["no head for masked tokens", "masked_lm"], "eval",
                   "--model", "two", "--data", "test.tsv", "--task",
                   "masked_lm")
        self.fails(2, ["one score", "2 classes"], "eval", "--model", "two",
                   "--data", "test.scores.tsv", "--task", "regress")
        self.fails(2, ["no classifier"], "eval", "--model", "bert", "--data",
                   "test.tsv")
        path = self.write("bad.tsv", b"1.5\tgood\nmuch\tbad\n")
        self.fails(3, [f"{path}:2"], "eval", "--model", "runs/regress/model",
                   "--data", path)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
