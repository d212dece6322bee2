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


FIGURE = """{"segments": 16, "colours": 3,
 "cells": [[0,1,2,3],[0,4,5,6],[1,10,11,12],[2,7,8,9],[3,13,14,15]],
 "cell_rule": "two_one_one",
 "constraints": [{"cells": [2,0,4], "rule": "all_different"},
                 {"cells": [1,0,3], "rule": "all_different"}]}"""


class Colourings(Base):
    def test_the_cross_and_the_double_count(self):
        text = self.works("colourings", "--preset", "cross")
        for part in ("27216\n", "17496 + 9720 = 27216", "54432", "enumerate",
                     "eliminate", "transfer"):
            self.assertIn(part, text)

    def test_a_figure_file_as_json(self):
        self.write("cross.json", FIGURE.encode())
        row, = self.rows("colourings", "cross.json", "--json")
        self.assertEqual(row["count"], "27216")
        self.assertEqual(set(row["engines"]),
                         {"enumerate", "eliminate", "transfer"})
        for engine in row["engines"]:
            own, = self.rows("colourings", "cross.json", "--engine", engine,
                             "--json")
            self.assertEqual(own["count"], "27216")
            self.assertEqual(list(own["engines"]), [engine])
        row, = self.rows("colourings", "cross.json", "--colours", "6",
                         "--modulo", "1000", "--json")
        self.assertEqual(row["count"], "280")

    def test_chains_rings_and_grids(self):
        for words, count in ((("--chain", "6"), "801414"),
                             (("--ring", "6"), "160446"),
                             (("--grid", "2x2"), "3168")):
            row, = self.rows("colourings", *words, "--rule",
                             "neighbours_different", "--json")
            self.assertEqual(row["count"], count)
        want = 36 * pow(12, 10**18 - 1, 10**9 + 7) % (10**9 + 7)
        row, = self.rows("colourings", "--chain", str(10**18), "--modulo",
                         str(10**9 + 7), "--json")
        self.assertEqual(row["count"], str(want))
        row, = self.rows("colourings", "--chain", "500", "--json")
        self.assertEqual(row["count"], str(36 * 12**499))

    def test_orbits_samples_lists_and_pictures(self):
        row, = self.rows("colourings", "--preset", "cross", "--orbits",
                         "colours", "--sample", "5", "--seed", "1",
                         "--picture", "five.html", "--json")
        self.assertEqual(row["orbits"], "4536")
        self.assertEqual(len(row["colourings"]), 5)
        with open(f"{self.at}/five.html", encoding="utf-8") as file:
            self.assertEqual(file.read().count("aria-label=\"a colouring\""),
                             5)
        self.works("colourings", "--grid", "2x3", "--picture", "one.svg")
        with open(f"{self.at}/one.svg", encoding="utf-8") as file:
            self.assertTrue(file.read().startswith("<svg xmlns"))
        row, = self.rows("colourings", "--grid", "1x1", "--list", "100",
                         "--json")
        self.assertEqual(len({tuple(c) for c in row["colourings"]}), 36)

    def test_bad_input_is_named_with_its_place(self):
        self.write("bad.json", FIGURE.replace("[3,13", "[16,13").encode())
        self.fails(2, ["bad.json", "cells[4][0]", "segment 16"], "colourings",
                   "bad.json")
        self.write("broken.json", b'{"segments": 3,\n"cells" oops}')
        self.fails(3, ["broken.json", "line 2"], "colourings", "broken.json")
        self.fails(2, ["none.json"], "colourings", "none.json")
        self.fails(2, ["0 figures"], "colourings")
        self.fails(2, ["2 figures"], "colourings", "--chain", "3", "--ring",
                   "3")
        self.fails(2, ["ring of 2"], "colourings", "--ring", "2")
        self.fails(2, ["--modulo"], "colourings", "--chain", "999999999")
        self.fails(2, ["2^39.6", "2^34"], "colourings", "--grid", "1x8",
                   "--engine", "enumerate")
        self.fails(2, ["--grid"], "colourings", "--grid", "2by2")


class HotWater(Base):
    def test_every_scheme_as_json(self):
        self.write("home.toml", self.works("hot-water", "--example").replace(
            "days = 365", "days = 2").encode())
        row, = self.rows("hot-water", "home.toml", "--page", "home.html",
                         "--json")
        names = [scheme["scheme"] for scheme in row["schemes"]]
        self.assertEqual(names[:2], ["N", "R1"])
        self.assertEqual(len(names), 13)
        for scheme in row["schemes"]:
            self.assertLess(scheme["energy_balance_error"], 1e-6)
        none = row["schemes"][0]
        self.assertEqual(none["waits_first_day_seconds"],
                         [21, 0, 28, 28, 21, 28])
        self.assertAlmostEqual(none["litres_per_year"], 365 * 14, places=3)
        self.assertAlmostEqual(none["heat_kwh_per_year"], 365 * 6.186,
                               delta=0.3)
        with open(f"{self.at}/home.html", encoding="utf-8") as file:
            self.assertIn("<svg", file.read())
        text = self.works("hot-water", "home.toml", "--scheme", "R3")
        self.assertIn("return pipe, button", text)

    def test_presets_are_scenarios(self):
        names = [row["scheme"] for row in self.rows(
            "hot-water", "--json")[0]["schemes"]]
        for name in names:
            self.write("preset.toml", self.works(
                "hot-water", "--preset", name).replace(
                    "days = 365", "days = 1").encode())
            row, = self.rows("hot-water", "preset.toml", "--json")
            self.assertEqual([r["scheme"] for r in row["schemes"]],
                             ["N"] if name == "N" else ["N", name])
        self.assertIn("R3", self.works("hot-water", "--preset", "R3"))
        self.fails(2, ["R9", "R1T"], "hot-water", "--preset", "R9")

    def test_pay_back_and_sweep(self):
        text = self.works("hot-water", "--preset", "R3").replace(
            "days = 365", "days = 1")
        self.write("r3.toml", text.encode())
        row, = self.rows("hot-water", "r3.toml", "--json")
        none, three = row["schemes"]
        paid, = row["pay_back"]
        saved = none["cost_per_year"] - three["cost_per_year"]
        self.assertAlmostEqual(paid["saved_per_year"], saved, places=6)
        self.assertEqual(paid["years"], 700 / saved if saved > 0 else None)
        self.assertIn("pays back", self.works("hot-water", "r3.toml"))
        sweep = ("--sweep", "home.length=5 m:15 m:3")
        row, = self.rows("hot-water", "r3.toml", *sweep, "--page", "s.html",
                         "--json")
        self.assertEqual([p["value"] for p in row["points"]], [5, 10, 15])
        self.assertEqual([p["schemes"][0]["draws_first_day"][0]["wait_seconds"]
                          for p in row["points"]], [7, 14, 21])
        with open(f"{self.at}/s.html", encoding="utf-8") as file:
            self.assertIn("home.length", file.read())
        self.assertIn("10 m", self.works("hot-water", "r3.toml", *sweep))
        self.fails(2, ["--sweep", "home.size"], "hot-water", "--sweep",
                   "home.size=1 m:2 m:3")

    def test_bad_scenarios_are_named_with_their_place(self):
        good = self.works("hot-water", "--example")
        self.write("bad.toml", good.replace('"15 m"', '"15 kg"', 1).encode())
        self.fails(2, ["bad.toml:3", "home.length", "15 kg"], "hot-water",
                   "bad.toml")
        self.write("hot.toml", good.replace('stop = "40 C"', 'stop = "60 C"')
                   .encode())
        self.fails(2, ["stop temperature unreachable"], "hot-water",
                   "hot.toml")
        self.fails(2, ["none.toml"], "hot-water", "none.toml")
        self.fails(2, ["R9"], "hot-water", "--scheme", "R9")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
