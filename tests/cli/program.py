"""The built program, run the way a shell runs it: what the tests share."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

import tiny_model

PROGRAM = os.path.abspath(sys.argv[1])
PROJECT = os.path.abspath(sys.argv[2])
CACHE = os.environ.get("KEXUE_CACHE") or f"{PROJECT}/.cache/kexue"
PLUGINS = sorted(glob.glob(f"{CACHE}/plugin/*.so"))
PLUGIN = os.environ.get("KEXUE_PLUGIN") or (PLUGINS[0] if PLUGINS else None)
needs_plugin = unittest.skipUnless(
    PLUGIN, "no plugin: ./dev fetch plugin gets one")


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        at = cls.at = cls.folder.name
        cls.env = dict(os.environ, KEXUE_CACHE=f"{at}/cache", HOME=at)
        if PLUGIN:
            cls.env["KEXUE_PLUGIN"] = PLUGIN
        tiny_model.write(f"{at}/bert")
        tiny_model.write(f"{at}/two", labels=2)
        tiny_model.write(f"{at}/one", labels=1)
        tiny_model.write_reviews(f"{at}/train.tsv", 64)
        tiny_model.write_reviews(f"{at}/test.tsv", 16, seed=2)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_program(self, *words, text=b"", **options):
        if isinstance(text, str):
            text = text.encode()
        return subprocess.run([PROGRAM, *words], input=text, cwd=self.at,
                              env=options.pop("env", self.env),
                              capture_output=True, timeout=120, check=False,
                              **options)

    def as_nobody(self):
        """Options of run_program with which permissions count, for root too;
        the files must be readable for others. Skips where that is denied."""
        if os.geteuid() != 0:
            return {}
        options = {"user": 65534, "group": 65534, "extra_groups": []}
        os.chmod(self.at, 0o755)
        try:
            done = self.run_program("--version", **options)
        except PermissionError as error:
            self.skipTest(f"no other user can be had, or not here: {error}")
        if done.returncode != 0:
            self.skipTest("another user cannot run the program here: "
                          + done.stderr.decode())
        return options

    def fails(self, status, parts, *words, **options):
        """The status, and every part in the message on stderr."""
        done = self.run_program(*words, **options)
        error = done.stderr.decode()
        self.assertEqual(done.returncode, status, error)
        self.assertIn("kexue: error: ", error)
        for part in parts:
            self.assertIn(part, error)
        return done

    def works(self, *words, **options):
        done = self.run_program(*words, **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def rows(self, *words, **options):
        """JSON lines."""
        return [json.loads(line)
                for line in self.works(*words, **options).splitlines()]

    def write(self, name, content):
        path = f"{self.at}/{name}"
        with open(path, "wb") as file:
            file.write(content)
        return path
