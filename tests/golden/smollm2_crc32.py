#!/usr/bin/env python3
"""smollm2_crc32.py MODEL.gguf > smollm2_crc32.txt

CRC-32 (zlib) of every tensor of the file, dequantised to f32 by numpy alone:
an independent reading of the format, for tests/io/gguf_test.cc.
"""
import struct
import sys
import zlib

import numpy as np

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?",
           10: "Q", 11: "q", 12: "d"}


class Reader:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.at = 0

    def scalar(self, code):
        size = struct.calcsize(code)
        value, = struct.unpack_from("<" + code, self.data, self.at)
        self.at += size
        return value

    def text(self):
        size = self.scalar("Q")
        self.at += size
        return self.data[self.at - size:self.at].decode("utf-8")

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            kind, size = self.scalar("I"), self.scalar("Q")
            return [self.value(kind) for _ in range(size)]
        return self.scalar(SCALARS[kind])


def dequantised(kind, raw, count):
    if kind == 0:
        return np.frombuffer(raw, "<f4", count)
    if kind == 8:
        block = np.frombuffer(raw, np.dtype([("d", "<f2"), ("q", "i1", 32)]),
                              count // 32)
        return block["d"].astype("f4")[:, None] * block["q"].astype("f4")
    assert kind == 3, kind
    block = np.frombuffer(
        raw, np.dtype([("d", "<f2"), ("m", "<f2"), ("q", "u1", 16)]),
        count // 32)
    q = np.concatenate([block["q"] & 15, block["q"] >> 4], 1).astype("f4")
    return (block["d"].astype("f4")[:, None] * q
            + block["m"].astype("f4")[:, None])


def main(path):
    r = Reader(path)
    assert r.data[:4] == b"GGUF"
    r.at = 8
    tensors, keys = r.scalar("Q"), r.scalar("Q")
    for _ in range(keys):
        r.text()
        r.value(r.scalar("I"))
    infos = []
    for _ in range(tensors):
        name = r.text()
        dims = [r.scalar("Q") for _ in range(r.scalar("I"))]
        infos.append((name, dims, r.scalar("I"), r.scalar("Q")))
    base = (r.at + 31) // 32 * 32
    print("# CRC-32 of each tensor as little-endian f32; see smollm2_crc32.py")
    for name, dims, kind, offset in infos:
        values = dequantised(kind, memoryview(r.data)[base + offset:], int(np.prod(dims)))
        crc = zlib.crc32(np.ascontiguousarray(values, "<f4").tobytes())
        print(f"{crc:08x} {name}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
