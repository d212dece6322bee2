#!/usr/bin/env python3
"""recipe_test.py PROGRAM PROJECT: `kexue recipe`."""
import json
import os
import sys
import unittest

from program import PROJECT, Base


class Recipe(Base):
    def test_list_has_what_the_table_has(self):
        with open(f"{PROJECT}/recipes/recipe_list.inc",
                  encoding="utf-8") as file:
            wanted = [line[len("KEXUE_RECIPE("):-2].replace("_", "-")
                      for line in file if line.startswith("KEXUE_RECIPE(")]
        got = json.loads(self.works("recipe", "list", "--json"))
        self.assertEqual([recipe["name"] for recipe in got], wanted)
        text = self.works("recipe", "list")
        self.assertEqual([line.split()[0] for line in text.splitlines()],
                         wanted)

    def test_show_has_question_source_method_budget_and_numbers(self):
        text = self.works("recipe", "show", "ab-plus-c")
        for part in ("question: ", "source: ", "method: ", "budget: ",
                     "3857260"):
            self.assertIn(part, text)
        shown = json.loads(self.works("recipe", "show", "ab-plus-c", "--json"))
        self.assertIn(3857260, [e["expected"] for e in shown["expected"]])

    def test_run_leaves_a_page_and_json(self):
        done = json.loads(self.works("recipe", "run", "ab-plus-c", "--quick",
                                     "--seed", "3", "--json"))
        self.assertEqual(done["name"], "ab-plus-c")
        self.assertTrue(done["passed"])
        self.assertGreater(done["seconds"], 0)
        for check in done["checks"]:
            self.assertLessEqual({"name", "value", "expected", "tolerance",
                                  "source"}, set(check))
        page = f"{self.at}/runs/recipe-ab-plus-c/report.html"
        self.assertEqual(os.path.realpath(f"{self.at}/{done['page']}"),
                         os.path.realpath(page))
        with open(page, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("26087635650668134016", text)
        for outside in ("src=\"http", "href=\"http"):
            self.assertNotIn(outside, text)

    def test_bad_use(self):
        self.fails(2, ["did you mean \"ab-plus-c\""], "recipe", "run", "abc")
        self.fails(2, ["name is missing"], "recipe", "show")
        self.fails(2, ["list"], "recipe", "cook")
        self.fails(2, ["--seeds"], "recipe", "run", "ab-plus-c", "--seeds",
                   "0")
        self.fails(3, ["folder"], "recipe", "run", "ab-plus-c", "--folder",
                   "/proc/no/such")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
