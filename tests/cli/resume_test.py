#!/usr/bin/env python3
"""resume_test.py PROGRAM PROJECT KILL_AT: runs that are killed and go on.

KILL_AT is the library of kill_at.c. The seed of the random kills is printed;
KEXUE_SEED takes it back.
"""
import glob
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

from program import PROGRAM, Base, needs_plugin

KILL_AT = os.path.abspath(sys.argv[3])
SEED = int(os.environ.get("KEXUE_SEED") or random.randrange(1 << 30))
STEPS = 16
SAVE_EVERY = 2
# Kills of each kind for each of VARIANTS: 28 in all.
KILLS_IN_A_CALL, KILLS_BY_TIME = 5, 2
AVERAGED = ["train.accumulate=2", "optimizer.ema=0.99"]
VARIANTS = {
    "f32": ["train.precision=f32"],
    "bf16": ["train.precision=bf16", *AVERAGED],
    "fp16": ["train.precision=fp16", "train.loss_scale=dynamic", *AVERAGED],
    # Of the 64 rows some wait in the buffer whenever a checkpoint is written.
    "stream": ["train.precision=f32", "data.stream=true",
               "data.shuffle_buffer=20", *AVERAGED],
}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def started_at(error, unknown):
    """The step a run says it begins with; `unknown` if it was killed before."""
    if "starting from the beginning" in error:
        return 0
    found = re.search(r"going on from step (\d+)", error)
    return int(found.group(1)) if found else unknown


@needs_plugin
class Resume(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rng = random.Random(SEED)
        cls.whole = {}
        cls.calls = 0

    def config(self):
        lines = ['[model]', 'model = "bert"', '[data]',
                 'train_file = "train.tsv"', 'dev_file = "test.tsv"',
                 'max_length = 16', 'max_buckets = 1', '[train]',
                 'batch_size = 8', 'lr = 1e-3', 'dropout = 0.1',
                 f'max_steps = {STEPS}', f'save_every = {SAVE_EVERY}']
        return self.write("run.toml", ("\n".join(lines) + "\n").encode())

    def words(self, variant, folder, *more):
        settings = VARIANTS[variant] + list(more)
        return ["train", self.config(), "--folder", f"runs/{folder}",
                *[word for s in settings for word in ("--set", s)]]

    def model(self, folder):
        return digest(f"{self.at}/runs/{folder}/model/model.safetensors")

    def checkpoints(self, folder):
        """Every file below checkpoints/ with what is in it."""
        at = f"{self.at}/runs/{folder}/checkpoints"
        return {path[len(at) + 1:]: digest(path)
                for path in sorted(glob.glob(f"{at}/*/*"))}

    def uninterrupted(self, variant):
        """The weights of a run that nothing disturbed."""
        if variant not in self.whole:
            folder = f"whole-{variant}"
            self.works(*self.words(variant, folder, "train.save_every=0"))
            self.whole[variant] = self.model(folder)
        return self.whole[variant]

    def calls_of_a_save(self):
        """How many calls of kill_at.c one save makes, about."""
        if not self.calls:
            path = f"{self.at}/count"
            env = dict(self.env, LD_PRELOAD=KILL_AT, KEXUE_KILL_COUNT=path)
            self.works(*self.words("f32", "count"), env=env)
            with open(path, encoding="ascii") as file:
                type(self).calls = int(file.read()) // (STEPS // SAVE_EVERY)
        return self.calls

    def stopped(self, folder, words=()):
        """A run that was killed in its fifth save or so."""
        words = words or self.words("f32", folder)
        env = dict(self.env, LD_PRELOAD=KILL_AT,
                   KEXUE_KILL_AT=str(4 * self.calls_of_a_save()))
        done = self.run_program(*words, env=env)
        self.assertEqual(done.returncode, -signal.SIGKILL,
                         done.stderr.decode())

    def steps_of(self, folder):
        path = f"{self.at}/runs/{folder}/metrics.jsonl"
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            found = re.findall(r'"kind":"step","step":(\d+),', file.read())
        return [int(step) for step in found]

    def start_slowly(self, words, folder, then):
        """Runs then(child) after the first step; the status and stderr."""
        env = dict(self.env, LD_PRELOAD=KILL_AT, KEXUE_SLOW_MS="20")
        before = self.steps_of(folder)
        with subprocess.Popen([PROGRAM, *words], cwd=self.at, env=env,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as child:
            while child.poll() is None and self.steps_of(folder) == before:
                time.sleep(0.005)
            then(child)
            seen = child.stderr.read()
            return child.wait(60), seen.decode()

    def launch_to_be_killed(self, words, folder, in_a_call):
        """The exit status (-9: killed) and stderr."""
        if in_a_call:
            # Anywhere in the first save, or in the second.
            calls = 2 * self.calls_of_a_save()
            env = dict(self.env, LD_PRELOAD=KILL_AT,
                       KEXUE_KILL_AT=str(self.rng.randrange(1, calls)))
            done = self.run_program(*words, env=env)
            return done.returncode, done.stderr.decode()

        def kill(child):
            time.sleep(self.rng.uniform(0, 0.1))
            child.kill()
        return self.start_slowly(words, folder, kill)

    def test_killed_runs_end_with_the_same_bytes(self):
        kills = middles = 0
        for variant in VARIANTS:
            want = self.uninterrupted(variant)
            kinds = [True] * KILLS_IN_A_CALL + [False] * KILLS_BY_TIME
            self.rng.shuffle(kinds)
            attempt = 0
            folder = f"{variant}-{attempt}"
            last = 0
            while kinds:
                words = self.words(variant, folder, "run.resume=auto")
                status, error = self.launch_to_be_killed(
                    words, folder, kinds[-1])
                self.assertIn(status, (0, -signal.SIGKILL), error)
                self.assertNotIn("skipped", error)
                from_step = started_at(error, last)
                self.assertGreaterEqual(from_step, last, error)
                last = from_step
                if status == 0:  # faster than the kill: once more, anew
                    self.assertEqual(self.model(folder), want)
                    attempt += 1
                    folder, last = f"{variant}-{attempt}", 0
                    continue
                kinds.pop()
                kills += 1
                middles += bool(glob.glob(
                    f"{self.at}/runs/{folder}/checkpoints/.tmp-*"))
            self.works(*self.words(variant, folder, "run.resume=auto"))
            self.assertEqual(self.model(folder), want, variant)
            left = os.listdir(f"{self.at}/runs/{folder}/checkpoints")
            self.assertFalse([n for n in left if n[0] == "."], left)
        self.assertGreaterEqual(kills, 25)
        self.assertGreaterEqual(middles, 3)
        print(f"{kills} kills, {middles} of them in the middle of a write")

    def test_sigterm_saves_and_130_says_so(self):
        words = self.words("f32", "term", "train.save_every=0")
        status, error = self.start_slowly(words, "term",
                                          lambda child: child.terminate())
        self.assertEqual(status, 130, error)
        self.works(*words, "--resume", "auto")
        self.assertEqual(self.model("term"), self.uninterrupted("f32"))
        self.assertEqual(self.steps_of("term"), list(range(1, STEPS + 1)))

    def test_skipped_steps_are_counted_across_a_kill(self):
        # No gradient is finite at this scale, so every step is skipped.
        settings = ["train.loss_scale=1e38", "train.accumulate=1"]
        words = self.words("fp16", "skips", *settings)
        self.stopped("skips", words)
        before = len(self.steps_of("skips"))
        self.assertGreater(before, 0)
        result = json.loads(self.works(*words, "--resume", "auto", "--json"))
        self.assertEqual((result["steps"], result["skipped"]), (STEPS, STEPS))
        # Those in a row, too.
        words = self.words("fp16", "row", *settings, "train.max_skips=12")
        self.stopped("row", words)
        self.fails(2, ["12 steps skipped in a row"], *words,
                   "--resume", "auto")
        self.assertEqual(self.steps_of("row"), list(range(1, 13)))

    def test_steps_go_on_beside_a_write_and_a_kill_loses_only_them(self):
        # Saved after 6 steps, after the 8 of an epoch, and after 12.
        words = self.words("f32", "beside", "train.save_every=6")
        writing = f"{self.at}/runs/beside/checkpoints/.tmp-12-*"
        env = dict(self.env, LD_PRELOAD=KILL_AT, KEXUE_SLOW_SYNC_MS="300")
        beside = 0
        with subprocess.Popen([PROGRAM, *words], cwd=self.at, env=env,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as child:
            while child.poll() is None and beside < 14:
                steps = len(self.steps_of("beside"))
                beside = steps if glob.glob(writing) else 0
                time.sleep(0.005)
            child.kill()
        self.assertGreaterEqual(beside, 14)
        done = self.run_program(*words, "--resume", "auto")
        error = done.stderr.decode()
        self.assertEqual(done.returncode, 0, error)
        self.assertIn("going on from step 8 of", error)
        self.assertEqual(self.model("beside"), self.uninterrupted("f32"))
        self.assertEqual(self.steps_of("beside"), list(range(1, STEPS + 1)))

    def newest(self, folder):
        return sorted(glob.glob(f"{self.at}/runs/{folder}/checkpoints/step-*"))

    def test_a_damaged_checkpoint_is_named_and_skipped(self):
        self.stopped("damaged")
        older, newest = self.newest("damaged")[-2:]
        with open(f"{newest}/state.safetensors", "r+b") as file:
            file.seek(-100, os.SEEK_END)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        name = os.path.basename(newest)
        self.fails(3, [name, "state.safetensors: the sum is"], "train",
                   self.config(), "--resume", newest,
                   "--set", "train.precision=f32")
        done = self.run_program(*self.words("f32", "damaged"),
                                "--resume", "auto")
        error = done.stderr.decode()
        self.assertEqual(done.returncode, 0, error)
        self.assertIn(f"warning: checkpoint {name} is skipped: ", error)
        self.assertIn(f"state.safetensors: the sum is", error)
        self.assertIn(f"of runs/damaged/checkpoints/"
                      f"{os.path.basename(older)}", error)
        self.assertIn(f"is kept as aside-{name}", error)
        self.assertEqual(self.model("damaged"), self.uninterrupted("f32"))

    def test_a_named_step_of_this_run_or_for_another(self):
        self.stopped("named")
        older = self.newest("named")[0]
        for folder in (["--folder", "runs/named-2"], []):
            done = self.run_program(
                "train", self.config(), "--set", "train.precision=f32",
                "--resume", older, *folder)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("is kept as aside-step-", done.stderr.decode())
        self.assertEqual(self.model("named"), self.uninterrupted("f32"))
        self.assertEqual(self.model("named-2"), self.uninterrupted("f32"))

    def test_what_cannot_be_resumed(self):
        self.stopped("changed")
        words = self.words("f32", "changed")
        self.fails(2, ["train.lr was 0.001, but is 0.5 now"], *words,
                   "--resume", "auto", "--set", "train.lr=0.5")
        self.fails(2, ["needs a run.folder"], "train", self.config(),
                   "--resume", "auto")
        self.fails(2, ["no-such-step"], *words, "--resume", "no-such-step")
        shutil.copytree(f"{self.at}/runs/changed", f"{self.at}/runs/ruined")
        for step in self.newest("ruined"):
            os.remove(f"{step}/manifest.json")
        self.fails(3, ["none of its", "manifest.json: no such file"],
                   *self.words("f32", "ruined"), "--resume", "auto")
        self.works(*self.words("f32", "over", "train.save_every=0"))
        self.fails(2, ["this run is over"],
                   *self.words("f32", "over"), "--resume", "auto")

    def test_a_full_disk_leaves_the_old_checkpoints(self):
        self.stopped("full")
        before = self.checkpoints("full")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
        self.fails(3, ["File too large", "older checkpoints are unchanged"],
                   *self.words("f32", "full"), "--resume", "auto",
                   preexec_fn=limit)
        self.assertEqual(self.checkpoints("full"), before)
        self.works(*self.words("f32", "full"), "--resume", "auto")
        self.assertEqual(self.model("full"), self.uninterrupted("f32"))

    def test_a_small_disk_leaves_the_old_checkpoints(self):
        folder = f"{self.at}/runs/small"
        os.makedirs(folder)
        script = (f"mount -t tmpfs -o size=700k tmpfs {folder} || exit 99\n"
                  '"$@"; echo "status $?"; ls checkpoints/..\n')
        script = script.replace("checkpoints/..", f"{folder}/checkpoints")
        words = self.words("f32", "small", "run.keep_last=99")
        try:
            done = subprocess.run(
                ["unshare", "-rm", "sh", "-c", script, "sh", PROGRAM, *words],
                cwd=self.at, env=self.env, capture_output=True, timeout=120,
                check=False)
        except FileNotFoundError:
            self.skipTest("no unshare")
        if done.returncode != 0:
            self.skipTest("no mounts here: " + done.stderr.decode()[:200])
        text = done.stdout.decode()
        self.assertIn("status 3", text)
        self.assertIn("free some space", done.stderr.decode())
        names = text[text.index("status 3"):].split()[2:]
        self.assertTrue(names)
        self.assertFalse([n for n in names if not n.startswith("step-")])


if __name__ == "__main__":
    print(f"KEXUE_SEED={SEED}", flush=True)
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
