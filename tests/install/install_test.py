#!/usr/bin/env python3
"""install_test.py BUILD PROJECT CMAKE: installs into a temporary prefix, builds
examples/consumer against it, makes the Debian packages, unpacks and runs them.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, PROJECT, CMAKE = (os.path.abspath(arg) for arg in sys.argv[1:4])
CPACK = f"{os.path.dirname(CMAKE)}/cpack"
CACHE = os.environ.get("KEXUE_CACHE") or f"{PROJECT}/.cache/kexue"
PLUGINS = sorted(glob.glob(f"{CACHE}/plugin/*.so"))
PLUGIN = os.environ.get("KEXUE_PLUGIN") or (PLUGINS[0] if PLUGINS else "")


def run(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, check=False,
                          timeout=500, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: status {done.returncode}\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = cls.folder.name
        # Nothing of the build folder or of this user's home may help.
        cls.env = {"PATH": os.environ["PATH"], "HOME": cls.at,
                   "KEXUE_CACHE": f"{cls.at}/cache"}
        if PLUGIN:
            cls.env["KEXUE_PLUGIN"] = PLUGIN

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def check_program(self, program):
        self.assertRegex(run(program, "--version", env=self.env),
                         r"^kexue \d+\.\d+\.\d+\n$")
        self.assertIn("doctor", run(program, "--help", env=self.env))
        if PLUGIN:
            doctor = json.loads(run(program, "doctor", "--json", env=self.env))
            self.assertIn(os.path.realpath(PLUGIN),
                          os.path.realpath(doctor["plugin"]["path"]))


class Installed(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = f"{cls.at}/prefix"
        run(CMAKE, "--install", BUILD, "--prefix", cls.prefix)

    def test_program_and_pages(self):
        self.check_program(f"{self.prefix}/bin/kexue")
        for path in ("share/man/man1/kexue.1.gz",
                     "share/bash-completion/completions/kexue",
                     "share/fish/vendor_completions.d/kexue.fish",
                     "share/zsh/site-functions/_kexue",
                     "share/doc/kexue/NOTICE", "share/doc/kexue/copyright"):
            self.assertGreater(os.path.getsize(f"{self.prefix}/{path}"), 100)

    def test_headers_include_only_what_is_installed(self):
        root = f"{self.prefix}/include"
        headers = glob.glob(f"{root}/kexue/**/*.h", recursive=True)
        self.assertGreater(len(headers), 80)
        for header in headers:
            with open(header, encoding="ascii") as file:
                names = re.findall(r'^\s*#\s*include\s*"([^"]+)"', file.read(),
                                   re.M)
            for name in names:
                self.assertTrue(os.path.exists(f"{root}/{name}"),
                                f"{header} includes {name}")

    def test_no_file_knows_the_build_folder(self):
        for path in glob.glob(f"{self.prefix}/lib/cmake/**/*.cmake",
                              recursive=True):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            self.assertNotIn(PROJECT + "/", text, path)
            self.assertNotIn(BUILD, text, path)

    def test_a_project_builds_on_it_and_trains(self):
        build = f"{self.at}/consumer"
        run(CMAKE, "-S", f"{PROJECT}/examples/consumer", "-B", build,
            f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run(CMAKE, "--build", build)
        if not PLUGIN:
            self.skipTest("built; no plugin to run on: ./dev fetch plugin")
        self.assertRegex(run(f"{build}/learn_xor", env=self.env),
                         r"^loss 0\.00\d+\n$")

    def test_the_wrong_version_is_refused(self):
        source = f"{self.at}/wrong"
        os.makedirs(source)
        with open(f"{source}/CMakeLists.txt", "w", encoding="ascii") as file:
            file.write("cmake_minimum_required(VERSION 3.25)\n"
                       "project(wrong LANGUAGES CXX)\n"
                       "find_package(kexue 99 CONFIG REQUIRED)\n")
        with self.assertRaisesRegex(AssertionError, "99"):
            run(CMAKE, "-S", source, "-B", f"{source}/build",
                f"-DCMAKE_PREFIX_PATH={self.prefix}")


@unittest.skipUnless(shutil.which("dpkg-shlibdeps"),
                     "no dpkg-dev: ./dev setup test gets it")
class Packages(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Fast compression: the files in the archive are what counts here.
        run(CPACK, "-G", "DEB", "--config", f"{BUILD}/CPackConfig.cmake",
            "-B", f"{cls.at}/packages",
            "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip")
        cls.debs = {os.path.basename(p).split("_")[0]: p
                    for p in glob.glob(f"{cls.at}/packages/*.deb")}

    def test_two_packages(self):
        self.assertEqual(sorted(self.debs), ["kexue", "libkexue-dev"])

    def field(self, package, name):
        return run("dpkg-deb", "-f", self.debs[package], name).strip()

    def test_control_fields(self):
        needs = self.field("kexue", "Depends")
        for library in ("libc6 (>=", "libstdc++6", "libfmt9", "libxxhash0"):
            self.assertIn(library, needs)
        self.assertNotIn("-dev", needs)
        self.assertEqual(self.field("kexue", "Section"), "science")
        self.assertEqual(
            self.field("kexue", "Architecture"),
            run("dpkg", "--print-architecture").strip())
        self.assertIn("nlohmann-json3-dev (>= 3.11.2)",
                      self.field("libkexue-dev", "Depends"))
        self.assertNotIn("gtest", self.field("libkexue-dev", "Depends"))

    def test_owners_modes_and_places(self):
        for package, deb in self.debs.items():
            for line in run("dpkg-deb", "-c", deb).splitlines():
                mode, owner = line.split()[:2]
                path = line.split()[5]
                self.assertEqual(owner, "root/root", line)
                self.assertTrue(path.startswith("./usr/"), line)
                if mode.startswith("d") or path == "./usr/bin/kexue":
                    self.assertEqual(mode[1:], "rwxr-xr-x", line)
                else:
                    self.assertEqual(mode, "-rw-r--r--", line)
            self.assertIn(f"./usr/share/doc/{package}/copyright",
                          run("dpkg-deb", "-c", deb))

    def test_unpacked_it_runs(self):
        root = f"{self.at}/root"
        run("dpkg-deb", "-x", self.debs["kexue"], root)
        program = f"{root}/usr/bin/kexue"
        self.check_program(program)
        self.assertNotIn(".symtab", run("readelf", "-SW", program))
        header = run("readelf", "-hdlW", program)
        for sign in ("DYN (Position-Independent", "GNU_RELRO", "NOW"):
            self.assertIn(sign, header)
        page = run("man", "-l", "-Tascii",
                   f"{root}/usr/share/man/man1/kexue.1.gz",
                   env=dict(self.env, MANWIDTH="80"))
        self.assertIn("KEXUE(1)", page)
        self.assertTrue(os.path.exists(
            f"{root}/usr/share/zsh/vendor-completions/_kexue"))


if __name__ == "__main__":
    unittest.main(argv=["install_test.py"])
