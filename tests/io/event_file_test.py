#!/usr/bin/env python3
"""event_file_test.py SAMPLE: event files as others read them.

SAMPLE writes one (event_file_sample.cc). Read here by hand (tests/support/
tfevents.py); and by TensorBoard itself where a Python
has it: this one, or the one that KEXUE_TENSORBOARD_PYTHON names.
"""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from tfevents import (crc32c, fields, pixels_of_png,  # noqa: E402
                      values_by_tag)

SAMPLE = os.path.abspath(sys.argv[1])
TENSORBOARD = os.environ.get("KEXUE_TENSORBOARD_PYTHON", sys.executable)


# What TensorBoard makes of the folder, as JSON.
PROBE = r"""
import json, sys
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util
acc = event_accumulator.EventAccumulator(
    sys.argv[1], size_guidance={"tensors": 0, "scalars": 0, "images": 0,
                                "histograms": 0})
acc.Reload()
tags = acc.Tags()
out = {"tags": {k: v for k, v in tags.items() if isinstance(v, list)}}
out["tensors"] = {}
for tag in tags["tensors"]:
    kind = acc.SummaryMetadata(tag).plugin_data.plugin_name
    rows = []
    for e in acc.Tensors(tag):
        value = tensor_util.make_ndarray(e.tensor_proto).tolist()
        rows.append([e.step, repr(value)])
    out["tensors"][tag] = [kind, rows]
out["scalars"] = {t: [[e.step, e.wall_time, repr(e.value)]
                      for e in acc.Scalars(t)] for t in tags["scalars"]}
out["images"] = {t: [[e.step, e.width, e.height, e.encoded_image_string.hex()]
                     for e in acc.Images(t)] for t in tags["images"]}
out["histograms"] = {
    t: [[e.step, e.histogram_value.num, e.histogram_value.min,
         e.histogram_value.max, sum(e.histogram_value.bucket)]
        for e in acc.Histograms(t)] for t in tags["histograms"]}
print(json.dumps(out))
"""


class EventFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        subprocess.run([SAMPLE, cls.folder.name], check=True, timeout=60)
        (name,) = os.listdir(cls.folder.name)
        cls.name = name
        with open(f"{cls.folder.name}/{name}", "rb") as file:
            cls.values, cls.events = values_by_tag(file.read())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_checksum_of_the_parser(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)

    def test_first_record_is_the_version(self):
        self.assertIn("tfevents", self.name)
        self.assertEqual(self.events[0],
                         {1: [1.7e9], 3: [b"brain.Event:2"]})

    def test_scalars(self):
        losses = self.values["train/loss"]
        self.assertEqual([step for step, _ in losses], list(range(1, 21)))
        for step, value in losses:
            self.assertAlmostEqual(value[2][0], 1 / step, places=6)
        self.assertTrue(math.isnan(self.values["nothing"][0][1][2][0]))
        self.assertEqual(self.events[5][1], [1.7e9 + 5])

    def test_histogram(self):
        (step, value), = self.values["weights"]
        h = fields(value[5][0])
        self.assertEqual(step, 20)
        self.assertEqual([h[1], h[3]], [[-5.0], [1001.0]])
        self.assertAlmostEqual(h[2][0], 5.0, places=6)
        limits, counts = (
            struct.unpack(f"<{len(h[n][0]) // 8}d", h[n][0]) for n in (6, 7))
        self.assertEqual(sum(counts), 1001)
        self.assertEqual(sorted(limits), list(limits))
        # About half of the values are at most 0.
        self.assertEqual(
            sum(c for c, l in zip(counts, limits) if l <= 0), 501)

    def test_text(self):
        (_, value), = self.values["config"]
        tensor = fields(value[8][0])
        self.assertEqual(tensor[1], [7])  # DT_STRING
        self.assertEqual(fields(fields(tensor[2][0])[2][0]), {1: [1]})
        self.assertIn(b"**lr** = 5e-05", tensor[8][0])
        plugin = fields(fields(value[9][0])[1][0])
        self.assertEqual(plugin[1], [b"text"])

    def test_image(self):
        if "picture" not in self.values:
            self.skipTest("built without libpng")
        (_, value), = self.values["picture"]
        image = fields(value[4][0])
        self.assertEqual([image[1], image[2], image[3]], [[2], [3], [3]])
        self.assertEqual(pixels_of_png(image[4][0]),
                         (3, 2, 3, bytes(i * 14 for i in range(18))))

    def test_tensorboard_reads_it(self):
        probe = subprocess.run([TENSORBOARD, "-c", "import tensorboard"],
                               capture_output=True, check=False)
        if probe.returncode != 0:
            self.skipTest("no tensorboard: ./dev tensorboard installs it, or "
                          "KEXUE_TENSORBOARD_PYTHON names a python with it")
        done = subprocess.run([TENSORBOARD, "-c", PROBE, self.folder.name],
                              capture_output=True, check=False, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        seen = json.loads(done.stdout)
        # The accumulator turns what was a plain value into the plugins'
        # tensors, or keeps it, depending on its version: take both.
        losses = (seen["scalars"].get("train/loss")
                  or seen["tensors"]["train/loss"][1])
        self.assertEqual([row[0] for row in losses], list(range(1, 21)))
        for row in losses:
            self.assertAlmostEqual(float(row[-1]), 1 / row[0], places=6)
        kind, rows = seen["tensors"]["config"]
        self.assertEqual(kind, "text")
        self.assertIn("**lr** = 5e-05", rows[0][1])
        histogram = seen["histograms"].get("weights")
        if histogram:
            self.assertEqual(histogram[0][1], 1001)
            self.assertEqual(histogram[0][4], 1001)
        else:
            self.assertEqual(seen["tensors"]["weights"][0], "histograms")
        if "picture" in self.values:
            pictures = seen["images"].get("picture")
            if pictures:
                self.assertEqual(pictures[0][1:3], [3, 2])
                self.assertEqual(
                    pixels_of_png(bytes.fromhex(pictures[0][3]))[0:3],
                    (3, 2, 3))
            else:
                self.assertEqual(seen["tensors"]["picture"][0], "images")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
