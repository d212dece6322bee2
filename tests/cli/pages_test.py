#!/usr/bin/env python3
"""pages_test.py PROGRAM PROJECT: the manual page, and completion as the
shells themselves do it. Both are made from the table of commands."""
import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from program import Base


def needs(shell):
    return unittest.skipUnless(shutil.which(shell),
                               f"no {shell}: ./dev setup test gets it")


class Pages(Base):
    def listed(self):
        """Commands that --help names, with their long options."""
        text = self.works("--help").split("\nTraining:\n")[1]
        names = re.findall(r"^  (\S+)", text, re.M)
        return {name: re.findall(r"(--[a-z0-9-]+)",
                                 self.works(name, "--help").split("Example:")[0])
                for name in names if name.islower()}

    def test_the_manual_names_every_command_and_option(self):
        page = self.works("man").replace("\\-", "-")
        commands = self.listed()
        self.assertGreater(len(commands), 10)
        sections = page.split(".SS ")
        for name, options in commands.items():
            own = [s for s in sections if s.startswith(f"kexue {name}")]
            self.assertTrue(own, name)
            for option in options:
                if option != "--help":
                    self.assertIn(f"\\fB{option}\\fR", "".join(own), name)
        self.assertNotIn("first-step", page)

    @needs("groff")
    def test_the_manual_is_good_roff(self):
        done = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-P-c"],
                              input=self.works("man").encode(), check=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.stderr.decode(), "")
        text = re.sub(".\b", "", done.stdout.decode())
        for part in ("kexue - train and run Transformers", "EXIT STATUS",
                     "kexue doctor --json", "--set SECTION.KEY=VALUE"):
            self.assertIn(part, text)

    def test_unknown_shell(self):
        self.fails(2, ["bash", "zsh", "fish"], "completion", "tcsh")

    # What each shell must answer: line -> offered, not offered.
    CASES = [
        ("kexue tr", {"train"}, {"eval", "first-step"}),
        ("kexue eval --prec", {"--precision"}, {"--plugin"}),
        ("kexue eval --precision ", {"f32", "bf16", "fp16"}, {"--plugin"}),
        ("kexue completion ", {"bash", "zsh", "fish"}, {"train"}),
        ("kexue eval --data re", {"reviews.tsv"}, {"readers"}),
        ("kexue predict --model re", {"readers"}, {"reviews.tsv"}),
    ]

    def setUp(self):
        os.makedirs(f"{self.at}/readers", exist_ok=True)
        self.write("reviews.tsv", b"")

    def check_cases(self, complete):
        for line, wanted, unwanted in self.CASES:
            with self.subTest(line=line):
                offered = {word.rstrip("/") for word in complete(line)}
                self.assertLessEqual(wanted, offered)
                # A folder may hold the file that is asked for.
                self.assertFalse((unwanted - {"readers"}) & offered)

    @needs("bash")
    def test_bash(self):
        self.write("k.bash", self.works("completion", "bash").encode())

        def complete(line):
            words = line.split(" ")
            script = ("source k.bash; COMP_WORDS=(\"$@\"); "
                      "COMP_CWORD=$(($# - 1)); _kexue; "
                      "printf '%s\\n' \"${COMPREPLY[@]}\"")
            return subprocess.run(
                ["bash", "--norc", "-c", script, "bash", *words], cwd=self.at,
                check=True, capture_output=True, text=True).stdout.split("\n")
        self.check_cases(complete)
        # --precision=b arrives as three words.
        self.assertEqual(complete("kexue eval --precision = b"), ["bf16", ""])

    @needs("fish")
    def test_fish(self):
        self.write("k.fish", self.works("completion", "fish").encode())

        def complete(line):
            script = f"source k.fish; complete -C '{line}'"
            out = subprocess.run(["fish", "--no-config", "-c", script],
                                 cwd=self.at, env=self.env, check=True,
                                 capture_output=True, text=True).stdout
            return [row.split("\t")[0] for row in out.split("\n")]
        self.check_cases(complete)

    @needs("zsh")
    def test_zsh(self):
        folder = f"{self.at}/zsh"
        os.makedirs(folder, exist_ok=True)
        self.write("zsh/_kexue", self.works("completion", "zsh").encode())
        with Zsh(folder, self.at, self.env) as zsh:
            self.check_cases(zsh.complete)


class Zsh:
    """An interactive zsh: completion works nowhere else."""

    def __init__(self, folder, at, env):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(at)
            os.execvpe("zsh", ["zsh", "-f", "-i"],
                       dict(env, TERM="dumb", COLUMNS="200", LINES="100"))
        self.send(f"PS1=; unsetopt zle_bracketed_paste; fpath=({folder}); "
                  "fpath+=(/usr/share/zsh/functions/**/*(N/)); "
                  "autoload -Uz compinit; compinit -u -D\n")
        # The matches themselves: a list on the screen is left out as soon as
        # the next key is there.
        self.send("compadd() { if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; "
                  "then builtin compadd \"$@\"; return; fi; local -a hits; "
                  "builtin compadd -A hits \"$@\"; print -rl -- $hits; "
                  "builtin compadd \"$@\" }\n"
                  "tell() { print -r -- mat''ches; _main_complete; "
                  "print -r -- do''ne }\n"
                  "zle -C tell list-choices tell; bindkey '^I' tell; "
                  "print read''y\n")
        self.read_until("ready")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, mark, seconds=30):
        text = ""
        end = time.monotonic() + seconds
        while mark not in text and time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.1)[0]:
                text += os.read(self.terminal, 65536).decode("utf-8", "replace")
        if mark not in text:
            raise AssertionError(f"zsh never said {mark!r}: {text[-2000:]!r}")
        return text

    def complete(self, line):
        self.send(line + "\t")
        text = self.read_until("done").split("matches")[-1]
        self.send("\x15")  # empties the line
        return re.findall(r"[\w./-]+", text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.terminal)
        os.waitpid(self.child, 0)


if __name__ == "__main__":
    unittest.main(argv=["pages_test.py"])
