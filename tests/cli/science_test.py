#!/usr/bin/env python3
"""science_test.py PROGRAM PROJECT: `kexue abc`, `colourings`, `hot-water`."""
import hashlib
import json
import sys
import unittest

from program import Base


class Abc(Base):
    def test_one_json_line_a_number(self):
        rows = self.rows("abc", "130", "2023", "--json")
        self.assertEqual(rows[0]["s"], "23")
        self.assertEqual(rows[1], {"n": "2023", "s": "92", "a": "43",
                                   "b": "47", "c": "2",
                                   "candidates": rows[1]["candidates"]})
        self.assertIsInstance(rows[1]["candidates"], str)

    def test_all_optima(self):
        row, = self.rows("abc", "175", "--all", "--json")
        self.assertEqual(row["optima"], [["13", "13", "6"], ["10", "17", "5"],
                                         ["9", "19", "4"], ["7", "25", "0"]])

    def test_table_has_the_known_hashes(self):
        lines = self.works("abc", "--table", "1:20000").splitlines()
        self.assertEqual(lines[0], "N,S,a,b,c,excess")
        sums = [line.split(",")[1] for line in lines[1:]]
        for top, begin in ((10000, "ebd6392e017a004b"),
                           (20000, "eeb285466e55943e")):
            text = ",".join(sums[:top]).encode()
            self.assertEqual(hashlib.sha256(text).hexdigest()[:16], begin)

    def test_128_bits_state_their_cost(self):
        done = self.run_program("abc", str(2**127 - 1), "--json")
        self.assertEqual(json.loads(done.stdout)["s"], "26087635650668134016")
        self.assertIn(b"candidates by method pruned", done.stderr)

    def test_long_searches_must_be_wanted(self):
        self.fails(2, ["candidates", "--yes"], "abc", "9" * 67)
        self.fails(2, ["candidates", "--yes"], "abc", "--method", "article",
                   str(2**70))

    def test_methods_and_counts(self):
        for method in ("pruned", "sumdiff", "parity", "sqrt"):
            row, = self.rows("abc", "19", "--method", method, "--json")
            self.assertEqual(row["s"], "10")
        row, = self.rows("abc", "19", "--method", "article", "--json")
        self.assertEqual(row["s"], "11")  # as printed, and wrong
        text = self.works("abc", "1000003", "--counts")
        for method in ("article", "sqrt", "parity", "sumdiff", "pruned"):
            self.assertIn(method, text)

    def test_plot_is_a_page(self):
        self.works("abc", "--plot", "costs.html")
        with open(f"{self.at}/costs.html", encoding="utf-8") as file:
            self.assertIn("<svg", file.read())

    def test_bad_numbers_are_named(self):
        for bad in ("0", "12x", "1.5", "1e6", ""):
            self.fails(2, [f'"{bad}"'], "abc", bad)
        self.fails(2, ["-5"], "abc", "-5")
        self.fails(2, ['"x"'], "abc", "--table", "1:x")
        self.fails(2, ["5:4"], "abc", "--table", "5:4")
        self.fails(2, ["give a number"], "abc")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
