"""kexue convert and kexue inspect, as a user's shell sees them."""
import json
import math
import os
import signal
import struct
import sys
import time
import unittest

import program
from program import PROJECT

FILES = f"{PROJECT}/tests/golden/files"


def read_safetensors(path):
    """{name: (dtype, shape, numbers)}, read by the format's description."""
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    out = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        code = {"F32": "f", "F16": "e", "I64": "q", "BF16": "H"}[entry["dtype"]]
        count = (end - begin) // struct.calcsize(code)
        numbers = struct.unpack(f"<{count}{code}", data[begin:end])
        out[name] = entry["dtype"], entry["shape"], numbers
    return out


def made(name, count):
    """tests/golden/files/make_files.py says so."""
    start = sum(name.encode())
    return tuple(((37 * i + start) % 101 - 50) / 8 for i in range(count))


class Convert(program.Base):
    def test_tensorflow_bert_becomes_a_hugging_face_folder(self):
        os.makedirs(f"{self.at}/google")
        for end in ("index", "data-00000-of-00001"):
            name = f"bert_model.ckpt.{end}"
            with open(f"{FILES}/{name}", "rb") as file:
                self.write(f"google/{name}", file.read())
        self.write("google/bert_config.json", b'{"hidden_size": 4}')
        self.write("google/vocab.txt", b"[PAD]\n")
        done = json.loads(self.works(
            "convert", "google/bert_model.ckpt", "hf", "--json"))
        self.assertEqual(done["map"], "bert-tf")
        self.assertEqual(done["tensors"], 30)
        self.assertEqual(sorted(os.listdir(f"{self.at}/hf")),
                         ["config.json", "model.safetensors", "vocab.txt"])
        with open(f"{self.at}/hf/config.json", encoding="utf-8") as file:
            self.assertEqual(json.load(file),
                             {"hidden_size": 4, "model_type": "bert"})
        weights = read_safetensors(f"{self.at}/hf/model.safetensors")
        kernel = made("bert/encoder/layer_0/output/dense/kernel", 24)
        turned = tuple(kernel[i * 4 + j] for j in range(4) for i in range(6))
        self.assertEqual(
            weights["bert.encoder.layer.0.output.dense.weight"],
            ("F32", [4, 6], turned))

    def test_shards_and_types(self):
        text = self.works("convert", f"{FILES}/small.gguf", "shards",
                          "--max-shard-size", "1KB", "--dtype", "f16")
        self.assertIn("names: none", text)
        names = sorted(os.listdir(f"{self.at}/shards"))
        self.assertIn("model.safetensors.index.json", names)
        with open(f"{self.at}/shards/model.safetensors.index.json",
                  encoding="utf-8") as file:
            index = json.load(file)["weight_map"]
        seen = {}
        for name in names:
            if name.endswith(".safetensors"):
                for tensor in read_safetensors_names(f"{self.at}/shards/{name}"):
                    self.assertNotIn(tensor, seen)
                    seen[tensor] = name
        self.assertEqual(seen, index)
        rows = json.loads(self.works("inspect", "shards", "--json"))
        self.assertEqual(rows["tensors"], len(index))
        stored = {row["name"]: row["stored"] for row in rows["tensor"]}
        self.assertEqual(stored["t.f64"], "F16")
        self.assertEqual(stored["t.i64"], "I64")

    def test_there_and_back_through_gguf(self):
        self.works("convert", f"{FILES}/bert_model.ckpt", "a.safetensors")
        self.works("convert", "a.safetensors", "b.gguf")
        self.works("convert", "b.gguf", "c.safetensors")
        self.assertEqual(read_safetensors(f"{self.at}/a.safetensors"),
                         read_safetensors(f"{self.at}/c.safetensors"))

    def test_llama_names(self):
        done = self.works("convert", f"{FILES}/small.gguf", "l.safetensors",
                          "--map", "gguf-llama", "--dtype", "f32")
        self.assertIn("names: gguf-llama", done)
        rows = json.loads(self.works("inspect", "l.safetensors", "--json"))
        self.assertIn("model.layers.1.mlp.down_proj.weight",
                      [row["name"] for row in rows["tensor"]])

    def test_what_cannot_be_is_an_error(self):
        good = f"{FILES}/small.gguf"
        self.fails(2, ["open nowhere: No such file"], "convert", "nowhere", "x.safetensors")
        self.fails(2, ["cannot be written"], "convert", good, "x.onnx")
        self.fails(2, ["--max-shard-size \"2PB\"", "as in 2GB"],
                   "convert", good, "x", "--max-shard-size", "2PB")
        self.fails(2, ["no weight map \"bert\"", "there are bert-tf"],
                   "convert", good, "x", "--map", "bert")
        self.fails(2, ["--dtype q8_0 is for files called *.gguf"],
                   "convert", good, "x.safetensors", "--dtype", "q8_0")
        self.fails(2, ["is both IN and OUT"], "convert", good, good)
        pickle = self.write("pytorch_model.bin", b"PK\3\4" + b" " * 60)
        self.fails(2, ["pickle", "safetensors.torch.save_file"],
                   "convert", pickle, "x.safetensors")
        with open(f"{FILES}/bert_model.ckpt.index", "rb") as file:
            broken = bytearray(file.read())
        broken[5] ^= 1
        self.write("m.data-00000-of-00001", b"")
        self.write("m.index", bytes(broken))
        self.fails(3, ["CRC of the block"], "convert", "m", "x.safetensors")
        self.assertFalse(os.path.exists(f"{self.at}/x.safetensors"))


def read_safetensors_names(path):
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        return [name for name in json.loads(file.read(size))
                if name != "__metadata__"]


class Inspect(program.Base):
    def one_tensor(self, name, numbers):
        header = json.dumps({"w": {
            "dtype": "F32", "shape": [len(numbers)],
            "data_offsets": [0, 4 * len(numbers)]}}).encode()
        return self.write(name, struct.pack("<Q", len(header)) + header
                          + struct.pack(f"<{len(numbers)}f", *numbers))

    def test_statistics_are_of_the_finite_numbers(self):
        path = self.one_tensor("w.safetensors", [
            1.0, 2.0, 4.5, -3.5, math.nan, math.inf, -math.inf, math.nan])
        row = json.loads(self.works("inspect", path, "--json"))["tensor"][0]
        self.assertEqual((row["min"], row["max"], row["mean"]),
                         (-3.5, 4.5, 1.0))
        # Deviations 0, 1, 3.5, -4.5: squares 0 + 1 + 12.25 + 20.25 over 4.
        self.assertAlmostEqual(row["std"], math.sqrt(33.5 / 4), 15)
        self.assertEqual((row["nan"], row["inf"]), (2, 2))
        text = self.works("inspect", path)
        self.assertIn("1 tensors, 8 elements, 32 bytes, 2 NaN, 2 Inf", text)

    def test_a_large_mean_costs_no_digits(self):
        path = self.one_tensor("m.safetensors", [1e7, 1e7 + 1, 1e7 + 2])
        row = json.loads(self.works("inspect", path, "--json"))["tensor"][0]
        self.assertAlmostEqual(row["std"], math.sqrt(2 / 3), 12)

    def test_every_format(self):
        for name, kind, tensor in [("small.gguf", "gguf", "t.q4_1"),
                                   ("small.onnx", "onnx", "raw.f32"),
                                   ("types.ckpt", "tensorflow", "t/bf16")]:
            document = json.loads(self.works(
                "inspect", f"{FILES}/{name}", "--json"))
            self.assertEqual(document["format"], kind)
            rows = {row["name"]: row for row in document["tensor"]}
            self.assertEqual(len(rows), document["tensors"])
            self.assertEqual(rows[tensor]["nan"], 0)
            self.assertIn(tensor, self.works("inspect", f"{FILES}/{name}"))
        self.assertIsNone(rows["t/text"]["dtype"])

    def test_one_tensor_and_its_neighbours(self):
        text = self.works("inspect", f"{FILES}/small.gguf",
                          "--tensor", "t.f32", "--tensor", "t.i8")
        self.assertIn("2 tensors, 12 elements", text)
        self.fails(2, ["no tensor blk.0.attn_x.weight",
                    "it has blk.0.attn_"],
                   "inspect", f"{FILES}/small.gguf",
                   "--tensor", "blk.0.attn_x.weight")

    def test_control_characters_do_not_reach_the_terminal(self):
        header = b'{"a\\u001b[2J":{"dtype":"U8","shape":[],' \
                 b'"data_offsets":[0,1]}}'
        path = self.write("e.safetensors",
                          struct.pack("<Q", len(header)) + header + b"x")
        self.assertNotIn("\x1b", self.works("inspect", path))

    def test_a_file_that_shrinks_while_it_is_mapped_is_exit_3(self):
        """The reader is stopped, the file cut, the reader let go on."""
        count = 1 << 26
        header = json.dumps({"w": {
            "dtype": "F32", "shape": [count],
            "data_offsets": [0, 4 * count]}}).encode()
        path = self.write("big.safetensors",
                          struct.pack("<Q", len(header)) + header)
        os.truncate(path, 8 + len(header) + 4 * count)  # sparse
        for attempt in range(20):
            os.truncate(path, 8 + len(header) + 4 * count)
            child = program.subprocess.Popen(
                [program.PROGRAM, "inspect", path, "--json"], cwd=self.at,
                env=self.env, stdout=program.subprocess.PIPE,
                stderr=program.subprocess.PIPE)
            if not wait_for_mapping(child.pid, path):
                child.communicate()
                continue
            child.send_signal(signal.SIGSTOP)
            os.truncate(path, 4096)
            child.send_signal(signal.SIGCONT)
            out, error = child.communicate(timeout=60)
            self.assertEqual(child.returncode, 3, error)
            self.assertIn(f"{path}: got shorter", error.decode())
            self.assertEqual(json.loads(out)["error"]["exit_status"], 3)
            return
        self.skipTest("the program was always faster than this test")


def wait_for_mapping(pid, path):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
                if path in file.read():
                    return True
        except OSError:
            return False
    return False


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
