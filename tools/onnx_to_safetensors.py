#!/usr/bin/env python3
"""onnx_to_safetensors.py MODEL.onnx MODEL.safetensors

Turns a BERT that was exported to ONNX into safetensors with the usual names.
Standard library only: it runs before anything is installed.

What such a file holds, and what is done about it:
- Vectors and embedding tables keep their names and are copied.
- A linear layer's weight is stored [in,out] under a made-up name; the node
  that multiplies by it is called after the module, `/encoder/layer.0/
  attention/self/query/MatMul`, which gives the name back. It is written
  [out,in], as everybody else stores it.
- An int8 model has `X_quantized` with `X_scale` and `X_zero_point` (one of
  each per tensor): the float weight is (q - zero_point) * scale, in f32.
"""
import json
import math
import struct
import sys
from array import array

WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_32 = 0, 1, 2, 5
FLOAT, UINT8, INT8 = 1, 2, 3  # TensorProto.DataType
TYPE_CODE = {FLOAT: "f", UINT8: "B", INT8: "b"}


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def parse(data):
    """A protobuf message as {field number: [values]}; nested ones as bytes."""
    message, at = {}, 0
    while at < len(data):
        key, at = read_varint(data, at)
        wire = key & 7
        if wire == WIRE_VARINT:
            value, at = read_varint(data, at)
        elif wire in (WIRE_64, WIRE_32, WIRE_BYTES):
            size = 8 if wire == WIRE_64 else 4
            if wire == WIRE_BYTES:
                size, at = read_varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            sys.exit(f"wire type {wire} is no part of protobuf")
        message.setdefault(key >> 3, []).append(value)
    return message


def text(message, field):
    return bytes(message.get(field, [b""])[0]).decode("utf-8")


class Tensor:
    """An initialiser: shape and numbers. TensorProto fields: 1 dims, 2 type,
    4 floats, 5 ints, 9 raw bytes."""

    def __init__(self, message):
        self.shape = []
        for dims in message.get(1, []):
            at = 0
            if isinstance(dims, int):
                self.shape.append(dims)
                continue
            while at < len(dims):
                dim, at = read_varint(dims, at)
                self.shape.append(dim)
        self.type = message.get(2, [FLOAT])[0]
        self.values = None
        if self.type in TYPE_CODE:
            self.values = array(TYPE_CODE[self.type])
            if 9 in message:
                self.values.frombytes(message[9][0])
            elif self.type == FLOAT and 4 in message:
                for chunk in message[4]:
                    self.values.frombytes(chunk)
            elif 5 in message:
                for chunk in message[5]:
                    self.values.extend(varints(chunk))
            if len(self.values) != math.prod(self.shape):
                sys.exit(f"{text(message, 8)}: {len(self.values)} numbers for "
                         f"shape {self.shape}")

    def dequantised(self, scale, zero_point):
        """(q - zero_point) * scale: exact in f64, so rounded to f32 once."""
        signed = self.type == INT8
        numbers = [byte - 256 if signed and byte > 127 else byte
                   for byte in range(256)]
        table = array("f", [(q - zero_point) * scale for q in numbers])
        self.values = array(
            "f", map(table.__getitem__, self.values.tobytes()))
        self.type = FLOAT
        return self

    def transposed(self):
        rows, columns = self.shape
        values = array("f")
        for column in range(columns):
            values.extend(self.values[column::columns])
        self.values, self.shape = values, [columns, rows]
        return self


def varints(chunk):
    if isinstance(chunk, int):
        return [chunk]
    at, out = 0, []
    while at < len(chunk):
        value, at = read_varint(chunk, at)
        out.append(value)
    return out


def weights_of(graph):
    """GraphProto fields: 1 nodes (1 inputs, 3 name, 4 op), 5 initialisers."""
    initialisers = {}
    for data in graph[5]:
        message = parse(data)
        initialisers[text(message, 8)] = Tensor(message)

    def floats(name):
        tensor = initialisers[name]
        if name.endswith("_quantized"):
            base = name[:-len("_quantized")]
            tensor.dequantised(initialisers[base + "_scale"].values[0],
                               initialisers[base + "_zero_point"].values[0])
        return tensor

    weights = {}
    for name in initialisers:
        plain = name.removesuffix("_quantized")
        if plain.endswith(".bias") or (plain.endswith(".weight") and (
                "embeddings." in plain or "LayerNorm" in plain)):
            weights[plain] = floats(name)
    for data in graph[1]:
        node = parse(data)
        inputs = [bytes(name).decode("utf-8") for name in node.get(1, [])]
        if (text(node, 4) not in ("MatMul", "MatMulInteger")
                or inputs[1] not in initialisers):
            continue
        module = text(node, 3).rsplit("/", 1)[0].strip("/").replace("/", ".")
        weights[module + ".weight"] = floats(inputs[1]).transposed()
    return weights


def write_safetensors(path, weights):
    header, end = {}, 0
    for name in sorted(weights):
        begin, end = end, end + 4 * len(weights[name].values)
        header[name] = {"dtype": "F32", "shape": weights[name].shape,
                        "data_offsets": [begin, end]}
    head = json.dumps(header, separators=(",", ":")).encode("utf-8")
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(head)) + head)
        for name in sorted(weights):
            weights[name].values.tofile(out)


def main(source, target):
    if sys.byteorder != "little":
        sys.exit("this script copies numbers as they are: little-endian only")
    with open(source, "rb") as file:
        model = parse(memoryview(file.read()))
    weights = weights_of(parse(model[7][0]))
    write_safetensors(target, weights)
    count = sum(len(tensor.values) for tensor in weights.values())
    print(f"{target}: {len(weights)} tensors, {count} parameters",
          file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
