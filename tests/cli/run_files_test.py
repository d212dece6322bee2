#!/usr/bin/env python3
"""run_files_test.py PROGRAM PROJECT: what a run leaves for other eyes: event
files, the registry, predictions, pages. Read by Python alone."""
import glob
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import unittest

from program import PROGRAM, PROJECT, Base, needs_plugin

sys.path.insert(0, f"{PROJECT}/tests/support")
from tfevents import fields, pixels_of_png, values_by_tag  # noqa: E402


@needs_plugin
class RunFiles(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.config = f"{cls.at}/config.toml"
        with open(cls.config, "w", encoding="utf-8") as file:
            file.write('[model]\nmodel = "bert"\n[data]\n'
                       'train_file = "train.tsv"\ndev_file = "test.tsv"\n'
                       'test_file = "test.tsv"\nmax_length = 16\n'
                       'max_buckets = 1\n[train]\n'
                       'batch_size = 8\nepochs = 2\nlr = 1e-3\n'
                       'precision = "f32"\n')
        cls.first = None

    def train(self, name, *settings):
        words = [word for s in settings for word in ("--set", s)]
        done = self.run_program("train", self.config, "--folder",
                                f"runs/{name}", "--json", *words)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout), done.stderr.decode()

    def run_a(self):
        """One run for the tests that only look."""
        if RunFiles.first is None:
            RunFiles.first, _ = self.train("a")
        return RunFiles.first

    def lines(self, name, kind):
        with open(f"{self.at}/runs/{name}/metrics.jsonl",
                  encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return [row for row in rows if row["kind"] == kind]

    def has_sqlite(self):
        return "no SQLite" not in self.run_program(
            "runs", "rebuild", "--registry", "probe/x").stderr.decode()

    def test_event_file_says_what_metrics_say(self):
        self.run_a()
        (path,) = glob.glob(f"{self.at}/runs/a/events.out.tfevents.*")
        with open(path, "rb") as file:
            values, _ = values_by_tag(file.read())
        steps = self.lines("a", "step")
        self.assertEqual(len(steps), 16)
        for tag, key in (("train/loss", "loss"), ("optimizer/lr", "lr"),
                         ("gradient_norm/all", "grad_norm"),
                         ("train/accuracy", "accuracy")):
            got = [(step, value[2][0]) for step, value in values[tag]]
            self.assertEqual([g[0] for g in got], list(range(1, 17)))
            for (_, value), line in zip(got, steps):
                self.assertTrue(math.isclose(value, line[key], rel_tol=1e-6,
                                             abs_tol=1e-12), (tag, value))
        for group, norm in steps[-1]["grad_norms"].items():
            self.assertTrue(math.isclose(
                values[f"gradient_norm/{group}"][-1][1][2][0], norm,
                rel_tol=1e-6), group)
        evals = self.lines("a", "eval")
        self.assertEqual([step for step, _ in values["dev/accuracy"]],
                         [e["step"] for e in evals if e["split"] == "dev"])
        for group in ("embedding", "attention", "ffn", "norm", "head"):
            h = fields(values[f"parameters/{group}"][0][1][5][0])
            self.assertGreater(h[3][0], 0, group)
        text = fields(values["config"][0][1][8][0])[8][0].decode()
        self.assertIn("lr = 0.001", text)
        if "test/confusion" in values:
            image = fields(values["test/confusion"][0][1][4][0])
            self.assertEqual(pixels_of_png(image[4][0])[:3], (256, 256, 3))

    def test_norms_of_the_groups_make_the_whole_norm(self):
        self.run_a()
        for line in self.lines("a", "step"):
            groups = line["grad_norms"]
            self.assertEqual(set(groups), {"embedding", "attention", "ffn",
                                           "norm", "head"})
            whole = math.sqrt(sum(v * v for v in groups.values()))
            self.assertTrue(math.isclose(whole, line["grad_norm"],
                                         rel_tol=1e-5), line["step"])

    def test_predictions_agree_with_eval(self):
        result = self.run_a()
        with open(f"{self.at}/runs/a/predictions-test.json",
                  encoding="utf-8") as file:
            p = json.load(file)
        scored = json.loads(self.works("eval", "--model", "runs/a/model",
                                       "--data", "test.tsv", "--json"))
        confusion = [p["confusion"][:2], p["confusion"][2:]]
        for c, count in enumerate(scored["classes"]):
            self.assertEqual(p["classes"][c], count["label"])
            self.assertEqual(sum(confusion[c]), count["rows"])
            self.assertEqual(confusion[c][c], count["right"])
        self.assertEqual(p["rows"], 16)
        self.assertAlmostEqual(
            (confusion[0][0] + confusion[1][1]) / 16,
            result["evals"]["test"]["accuracy"])
        self.assertEqual(sum(b["rows"] for b in p["calibration"]), 16)
        error = sum(b["rows"] / 16 * abs(b["accuracy"] - b["confidence"])
                    for b in p["calibration"])
        self.assertAlmostEqual(error, p["calibration_error"])
        for sample in p["wrong"] + p["right"]:
            self.assertRegex(sample["text"],
                             "^(very )*(good|bad) (book|film)s?$")
        with open(f"{self.at}/runs/a/report.html", encoding="utf-8") as file:
            page = file.read()
        for part in ('id="confusion-test"', 'id="calibration-dev"',
                     'id="gradient-groups"', 'id="memory"'):
            self.assertIn(part, page)

    def test_memory_is_reported(self):
        self.run_a()
        done, = self.lines("a", "done")
        self.assertGreater(done["peak_rss_bytes"], 1 << 20)
        self.assertGreaterEqual(done["program_bytes"], 0)
        for line in self.lines("a", "step"):
            self.assertGreater(line["rss_bytes"], 1 << 20)
            # The kernel counts the two in steps of their own.
            self.assertLessEqual(line["rss_bytes"],
                                 1.1 * done["peak_rss_bytes"])

    def test_runs_register_themselves(self):
        if not self.has_sqlite():
            self.skipTest("built without SQLite")
        result = self.run_a()
        self.train("b", "train.lr=2e-3")
        with sqlite3.connect(f"{self.at}/runs/registry.sqlite") as db:
            rows = dict(db.execute("SELECT folder, status FROM runs"))
        self.assertEqual(rows["a"], "done")
        self.assertEqual(rows["b"], "done")
        a = json.loads(self.works("runs", "show", "a", "--json"))
        with open(f"{self.at}/runs/a/run.json", encoding="utf-8") as file:
            self.assertEqual(a["id"], json.load(file)["id"])
        self.assertEqual(a["metrics"]["test.accuracy"],
                         result["evals"]["test"]["accuracy"])
        self.assertEqual(a["steps"], 16)
        both = json.loads(self.works("runs", "compare", "a", "b", "--json"))
        self.assertEqual(both["config"], {"train.lr": ["0.001", "0.002"]})
        # What the folders say is what the runs themselves registered.
        def listed():
            rows = [json.loads(self.works("runs", "show", name, "--json"))
                    for name in ("a", "b")]
            for row in rows:
                row.pop("ended")
            return rows
        before = listed()
        self.works("runs", "rebuild")
        self.assertEqual(before, listed())

    def test_a_killed_run_is_listed_as_killed(self):
        if not self.has_sqlite():
            self.skipTest("built without SQLite")
        with subprocess.Popen(
                [PROGRAM, "train", self.config, "--folder", "runs/k", "--set",
                 "train.max_steps=1000000"],
                cwd=self.at, env=self.env, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE) as child:
            for line in child.stderr:
                if line.startswith(b"step "):
                    break
            shown = json.loads(self.works("runs", "show", "k", "--json"))
            self.assertEqual(shown["status"], "running")
            child.send_signal(signal.SIGKILL)
            child.stderr.read()
        shown = json.loads(self.works("runs", "show", "k", "--json"))
        self.assertEqual(shown["status"], "killed")
        # Whatever was cut off, a page can be made.
        self.works("report", "runs/k")

    def test_both_can_be_switched_off(self):
        self.train("off", "run.events=false", "run.registry=")
        self.assertEqual(glob.glob(f"{self.at}/runs/off/events*"), [])
        shown = self.run_program("runs", "show", "off").stderr.decode()
        if self.has_sqlite():
            self.assertIn("no run \"off\"", shown)

    def test_a_registry_that_fails_is_a_warning(self):
        if not self.has_sqlite():
            self.skipTest("built without SQLite")
        self.write("broken.sqlite", b"x" * 5000)
        _, said = self.train("w", "run.registry=broken.sqlite")
        self.assertEqual(said.count("the run is not registered"), 1)
        self.assertIn("not a database", said)

    def test_several_runs_on_one_page(self):
        self.run_a()
        self.train("c", "train.lr=5e-3")
        page = self.works("report", "runs/a", "runs/c", "--output",
                          "both.html").strip()
        self.assertEqual(page, "both.html")
        with open(f"{self.at}/both.html", encoding="utf-8") as file:
            text = file.read()
        for part in ('<th scope="row">train.lr</th><td>0.001</td>'
                     '<td>0.005</td>', 'id="loss"', "a dev", "c dev"):
            self.assertIn(part, text)
        self.fails(2, ["--output is for several"], "report", "runs/a",
                   "--output", "x.html")


if __name__ == "__main__":
    unittest.main(argv=["run_files_test"])
