#!/usr/bin/env python3
"""Word counters take turns: kexue, Python, huniq, polars, duckdb, sort|uniq.

  count_words.py KEXUE TEXT [--repeats 5] [--threads 1] [--huniq PROGRAM]
                 [--zipf]

Words are what bytes.split() gives. Peers that know lines only get the text
with a word a line, made beforehand; so cutting it up costs them nothing. Each
way runs in a process of its own. Python's, polars' and duckdb's time is that
of counting in memory, without imports and reading; kexue's and huniq's is that
of the whole process. Every way's table is written once and must be the same
bytes. The least processor time (user and system) of the repeats is compared.

--zipf writes TEXT first: 16000 lines of 600 words, hexadecimal numbers drawn
from Zipf's law with exponent 1.25 (numpy, seed 0), 27.6 MB.

polars, duckdb and huniq (cargo install huniq) take part where installed.
"""
import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time


def rows_to_table(rows):
    rows = sorted(rows, key=lambda row: (-row[1], row[0]))
    return b"".join(b"%s\t%d\n" % row for row in rows)


def zipf(path):
    import numpy
    draws = numpy.random.default_rng(0).zipf(1.25, 16000 * 600) % (1 << 40)
    with open(path, "wb") as file:
        for row in draws.reshape(16000, 600):
            file.write((" ".join(f"{v:x}" for v in row) + "\n").encode())


def python_dict(text):
    counts = {}
    for line in text.split(b"\n"):
        for word in line.split():
            counts[word] = counts.get(word, 0) + 1
    return counts.items()


# Each prepares, and returns what is timed: a call that gives rows (token,
# count), maybe still in the library's own form, and what makes them bytes.
def prepare_python(text, _):
    with open(text, "rb") as file:
        content = file.read()
    return lambda: python_dict(content), list


def prepare_polars(_, lines):
    import polars
    with open(lines, encoding="utf-8") as file:
        words = polars.Series("w", file.read().split("\n")[:-1])
    frame = words.to_frame()
    return (lambda: frame.group_by("w").len(),
            lambda out: [(w.encode(), n) for w, n in out.rows()])


def prepare_duckdb(_, lines):
    import duckdb
    base = duckdb.connect()
    base.execute(f"SET threads TO {os.environ['POLARS_MAX_THREADS']}")
    base.execute("CREATE TABLE t AS SELECT w FROM read_csv(?, header=false, "
                 "columns={'w': 'VARCHAR'}, delim='\t', quote='', escape='')",
                 [lines])
    base.execute("CREATE TABLE warm AS SELECT 1")
    return (lambda: base.execute("CREATE OR REPLACE TABLE r AS SELECT w, "
                                 "count(*) FROM t GROUP BY w"),
            lambda _: [(w.encode(), n) for w, n in
                       base.execute("SELECT * FROM r").fetchall()])


PREPARE = {"python": prepare_python, "polars": prepare_polars,
           "duckdb": prepare_duckdb}


def run_child(way, text, lines, table):
    """In the child: prints {"cpu", "wall"}; writes the table if asked."""
    work, rows_of = PREPARE[way](text, lines)
    cpu, wall = time.process_time(), time.perf_counter()
    out = work()
    took = {"cpu": time.process_time() - cpu,
            "wall": time.perf_counter() - wall}
    if table:
        with open(table, "wb") as file:
            file.write(rows_to_table(rows_of(out)))
    print(json.dumps(took))


def command_of(way, args, lines, table):
    """The process to time whole, or the child that times itself."""
    if way == "kexue":
        out = ["--out", table] if table else ["--top", "1"]
        return [args.kexue, "wordfreq", args.text, "--threads",
                str(args.threads), *out]
    if way == "huniq":
        return ["sh", "-c", 'exec "$0" -c < "$1" > "$2"', args.huniq, lines,
                table or "/dev/null"]
    if way == "sort":
        return ["sh", "-c", f'sort --parallel={args.threads} "$0" | uniq -c '
                '> "$1"', lines, table or "/dev/null"]
    return [sys.executable, __file__, "--child", way, args.text, lines,
            table or ""]


def run_once(way, args, lines, table=""):
    env = dict(os.environ, LC_ALL="C", POLARS_MAX_THREADS=str(args.threads))
    wall = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command_of(way, args, lines, table), env=env,
                                 stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - wall
        if child.returncode != 0:
            raise SystemExit(f"{way} failed")
        out.seek(0)
        said = out.read()
    if way in PREPARE:
        return json.loads(said)
    return {"cpu": usage.ru_utime + usage.ru_stime, "wall": wall}


def fingerprint(way, table):
    with open(table, "rb") as file:
        content = file.read()
    if way in ("huniq", "sort"):  # "  12 word"
        rows = (line.split() for line in content.splitlines())
        content = rows_to_table((word, int(n)) for n, word in rows)
    return hashlib.sha256(content).hexdigest()


def version_of(way, args):
    if way in ("polars", "duckdb"):
        return importlib.import_module(way).__version__
    command = {"kexue": [args.kexue, "--version"],
               "huniq": [args.huniq, "--version"],
               "sort": ["sort", "--version"]}.get(way)
    if command is None:
        return sys.version.split()[0]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return said.stdout.splitlines()[0].split()[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kexue")
    parser.add_argument("text")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--huniq", default=shutil.which("huniq"))
    parser.add_argument("--zipf", action="store_true")
    args = parser.parse_args()
    if args.zipf:
        zipf(args.text)
    ways = ["kexue", "python", "sort"] + ["huniq"] * bool(args.huniq)
    ways += [w for w in ("polars", "duckdb") if importlib.util.find_spec(w)]
    with tempfile.TemporaryDirectory() as folder:
        lines, table = f"{folder}/lines", f"{folder}/table"
        with open(args.text, "rb") as file, open(lines, "wb") as out:
            out.write(b"\n".join(file.read().split()) + b"\n")
        seen = {}
        for way in ways:
            run_once(way, args, lines, table)
            seen[way] = fingerprint(way, table)
        least = {}
        for _ in range(args.repeats):
            for way in ways:
                took = run_once(way, args, lines)
                old = least.setdefault(way, took)
                least[way] = {k: min(old[k], took[k]) for k in took}
    print(f"{'way':8} {'version':10} {'CPU s':>8} {'wall s':>8} {'ratio':>6}"
          f"  table")
    ours = least["kexue"]["cpu"]
    for way in ways:
        print(f"{way:8} {version_of(way, args):10} {least[way]['cpu']:8.3f} "
              f"{least[way]['wall']:8.3f} {least[way]['cpu'] / ours:6.1f}  "
              f"{seen[way][:16]}")
    if len(set(seen.values())) != 1:
        raise SystemExit("the tables differ")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run_child(*sys.argv[2:6])
    else:
        main()
