#!/usr/bin/env python3
"""Each rule of tools/check_layers notices a file that breaks it."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "..", "..", "tools", "check_layers")


def check(files):
    """Exit status and output of the script on a tree of these files."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            path = os.path.join(root, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        run = subprocess.run([sys.executable, SCRIPT, root], text=True,
                             stdout=subprocess.PIPE, check=False)
        return run.returncode, run.stdout


class CheckLayers(unittest.TestCase):
    def assert_broken(self, path, text, message, **more):
        status, out = check({path: text, **more})
        self.assertEqual(status, 1, out)
        self.assertIn(message, out)

    def assert_clean(self, files):
        status, out = check(files)
        self.assertEqual(status, 0, out)

    def test_include_of_a_higher_layer(self):
        self.assert_broken("kexue/base/a.cc", '#include "kexue/ir/graph.h"\n',
                           "a.cc:1: layer: base may not include ir")

    def test_folder_without_a_row(self):
        self.assert_broken("kexue/misc/a.cc", "\n", "'misc' has no row")

    def test_runtime_may_use_io_and_transforms_may_not(self):
        text = '#include "kexue/io/atomic_file.h"\n'
        self.assert_clean({"kexue/runtime/a.cc": text})
        self.assert_broken("kexue/transforms/a.cc", text, "layer")

    def test_third_party_in_a_public_header(self):
        text = "#pragma once\n#include <nlohmann/json.hpp>\n"
        self.assert_broken("kexue/io/a.h", text, "private")
        self.assert_clean({"kexue/io/a.cc": text})

    def test_pjrt_header_outside_its_folder(self):
        text = '#include "third_party/pjrt/pjrt_c_api.h"\n'
        self.assert_broken("kexue/runtime/a.cc", text, "pjrt:")
        self.assert_clean({"kexue/pjrt/a.cc": text})

    def test_recipes_use_public_headers(self):
        for target in ("kexue/train/detail/records.h", "kexue/cli/lines.h",
                       "kexue/io/json.h"):
            self.assert_broken("recipes/a.cc", f'#include "{target}"\n',
                               "recipe: a recipe uses public headers")
        self.assert_clean({"recipes/a.cc":
                           '#include "kexue/train/engine.h"\n'})

    def test_printing_outside_the_program(self):
        text = 'void f() { std::printf("x"); }\n'
        self.assert_broken("kexue/io/a.cc", text, "printing")
        self.assert_clean({"kexue/cli/a.cc": text})

    def test_snprintf_and_comments_do_not_print(self):
        self.assert_clean({"kexue/io/a.cc":
                           "// exit(1) and printf()\n"
                           "int f() { return snprintf(b, 1, \"exit(1)\"); }\n"})

    def test_banned_functions(self):
        for call in ("system(x)", "std::stoi(x)", "strcpy(a, b)"):
            self.assert_broken("kexue/io/a.cc", f"int f() {{ {call}; }}\n",
                               "banned")

    def test_op_named_outside_ops(self):
        op = {"kexue/ops/a.cc": 'OpDef k{.name = "tanh"};\n'}
        self.assert_broken("kexue/transforms/b.cc", 'f("tanh");\n',
                           'op-name: "tanh"', **op)

    def test_form(self):
        self.assert_broken("kexue/io/a.h", "int f();\n", "#pragma once")
        self.assert_broken("kexue/io/a.cc", "// \u00e9\n", "not ASCII")
        self.assert_broken("kexue/io/a.cc", "\n" * 401, "401 lines")


if __name__ == "__main__":
    unittest.main()
