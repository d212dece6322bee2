#!/usr/bin/env python3
"""runs_test.py PROGRAM PROJECT: the registry of runs, from outside.

SQLite files are read here by Python's own sqlite3.
"""
import json
import os
import random
import signal
import sqlite3
import subprocess
import time
import unittest

from program import PROGRAM, Base, needs_plugin


def step(number, total, loss):
    return {"kind": "step", "step": number, "total_steps": total, "epoch": 0,
            "loss": loss, "accuracy": 0.5, "lr": 1e-5, "grad_norm": 1.0,
            "scale": 1.0, "skipped": False, "tokens": 9, "padded_tokens": 10,
            "step_s": 0.1, "input_s": 0.0, "compile_s": 0.0}


class WithoutSqlite(Base):
    def test_a_build_without_it_says_so(self):
        if "no SQLite" not in self.run_program("runs", "list").stderr.decode():
            self.skipTest("built with SQLite")
        os.makedirs(f"{self.at}/runs")  # where a registry could be made again
        for words in (["list"], ["show", "a"], ["compare", "a", "b"],
                      ["rebuild"], ["rebuild", "--json"]):
            self.fails(2, ["runs/registry.sqlite: this build has no SQLite",
                           "hint: ", "-DKEXUE_WITH_SQLITE=ON"],
                       "runs", *words)
        self.assertEqual(os.listdir(f"{self.at}/runs"), [])


class Runs(Base):
    def setUp(self):
        if "no SQLite" in self.run_program(
                "runs", "rebuild", "--registry", "probe/x").stderr.decode():
            self.skipTest("built without SQLite")

    def make(self, name, lr, accuracy, started, done=True):
        folder = f"{self.at}/{self.id()}/{name}"
        os.makedirs(folder)
        lines = [step(1, 2, 0.7), step(2, 2, 0.6),
                 {"kind": "eval", "split": "dev", "step": 2, "loss": 0.5,
                  "accuracy": accuracy, "rows": 10, "seconds": 1.0}]
        if done:
            lines.append({"kind": "done", "steps": 2, "train_s": 3.0,
                          "tokens_per_s": 90.0})
        with open(f"{folder}/metrics.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        with open(f"{folder}/config.toml", "w", encoding="utf-8") as file:
            file.write(f"[train]\nlr = {lr}\nseed = 1\n"
                       f"[run]\nfolder = \"{folder}\"\n")
        with open(f"{folder}/run.json", "w", encoding="utf-8") as file:
            json.dump({"id": f"{started:08x}", "started": started}, file)
        return folder

    def three(self):
        self.make("slow", 1e-5, 0.8, 1000)
        self.make("fast", 5e-5, 0.9, 2000)
        self.make("dead", 5e-5, 0.7, 3000, done=False)
        self.registry = f"{self.at}/{self.id()}/registry.sqlite"

    def runs(self, *words):
        return self.works("runs", *words, "--registry", self.registry)

    def json(self, *words):
        return json.loads(self.runs(*words, "--json"))

    def test_a_lost_registry_is_made_again(self):
        self.three()
        done = self.run_program("runs", "list", "--registry", self.registry)
        self.assertIn("made again from 3 run folders", done.stderr.decode())
        lines = done.stdout.decode().splitlines()
        self.assertEqual(lines[0].split(),
                         ["id", "started", "status", "name", "steps", "time",
                          "dev.accuracy", "loss"])
        self.assertEqual([line.split()[4] for line in lines[1:]],
                         ["dead", "fast", "slow"])
        with sqlite3.connect(self.registry) as db:
            rows = db.execute("SELECT id, folder, status, steps FROM runs "
                              "ORDER BY started").fetchall()
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(),
                             ("ok",))
        self.assertEqual(rows, [("000003e8", "slow", "done", 2),
                                ("000007d0", "fast", "done", 2),
                                ("00000bb8", "dead", "killed", 2)])

    def test_filters_sort_and_limit(self):
        self.three()
        def names(*words):
            return [run["name"] for run in self.json("list", *words)]
        self.assertEqual(names("--sort", "dev.accuracy"),
                         ["fast", "slow", "dead"])
        self.assertEqual(names("--sort", "dev.accuracy", "--ascending",
                               "--limit", "1"), ["dead"])
        self.assertEqual(names("--where", "train.lr=5e-5",
                               "--where", "status=done"), ["fast"])
        self.fails(2, ["no run has a \"tran.lr\"", "dev.accuracy"],
                   "runs", "list", "--where", "tran.lr=1",
                   "--registry", self.registry)
        self.fails(2, ["must be KEY"], "runs", "list", "--where", "x",
                   "--registry", self.registry)

    def test_show_and_vanished_folders(self):
        self.three()
        shown = self.json("show", "fast")
        self.assertEqual(shown["metrics"]["dev.accuracy"], 0.9)
        self.assertEqual(shown["metrics"]["tokens_per_s"], 90.0)
        self.assertIn("lr = 5e-05", shown["config"])
        self.assertTrue(shown["folder_exists"])
        subprocess.run(["rm", "-r", shown["folder"]], check=True)
        self.assertIn("not there any more", self.runs("show", "000007d0"))
        self.assertIn("done, folder gone", self.runs("list"))
        self.assertFalse(self.json("show", "fast")["folder_exists"])
        self.fails(2, ["no run \"x\""], "runs", "show", "x",
                   "--registry", self.registry)
        # Making it again forgets what is not there.
        self.runs("rebuild")
        self.assertEqual(len(self.json("list")), 2)

    def test_compare_shows_differences(self):
        self.three()
        both = self.json("compare", "slow", "fast")
        self.assertEqual(both["config"], {"train.lr": ["1e-05", "5e-05"]})
        self.assertEqual(both["metrics"]["dev.accuracy"], [0.8, 0.9])
        self.assertEqual(both["equal_settings"], 1)
        self.assertIn("train.lr", self.runs("compare", "slow", "fast", "dead"))

    def test_same_settings_have_the_same_hash(self):
        self.three()
        hashes = {r["name"]: r["config_hash"] for r in self.json("list")}
        self.assertEqual(hashes["fast"], hashes["dead"])
        self.assertNotEqual(hashes["fast"], hashes["slow"])

    def test_damaged_registry_is_named(self):
        self.three()
        self.write(f"{self.id()}/registry.sqlite", b"x" * 4096)
        self.fails(3, ["registry.sqlite", "not a database", "runs rebuild"],
                   "runs", "list", "--registry", self.registry)
        self.assertIn("3 runs", self.runs("rebuild"))
        # A database of someone else's is not taken for one, nor replaced
        # behind their back by listing.
        other = f"{self.at}/{self.id()}/other.sqlite"
        with sqlite3.connect(other) as db:
            db.execute("CREATE TABLE t (x)")
        self.fails(3, ["no registry of runs"], "runs", "list",
                   "--registry", other)

    def test_killed_at_any_moment_it_stays_readable(self):
        self.three()
        self.runs("rebuild")
        rng = random.Random(5)
        killed = 0
        for _ in range(30):
            process = subprocess.Popen(
                [PROGRAM, "runs", "rebuild", "--registry", self.registry],
                cwd=self.at, env=self.env, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            time.sleep(rng.random() * 0.08)
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            self.assertEqual(len(self.json("list")), 3)
            with sqlite3.connect(self.registry) as db:
                self.assertEqual(
                    db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        self.assertGreater(killed, 0)


if __name__ == "__main__":
    unittest.main(argv=["runs_test"])
