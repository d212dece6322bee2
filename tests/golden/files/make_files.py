#!/usr/bin/env python3
"""make_files.py gguf|onnx|tensorflow: the small files of weights in this folder.

Written by the programs that own the formats, so that our readers are tested
against them and not against our own idea:
  gguf        pip install gguf==0.19.0
  onnx        pip install onnx==1.23.2
  tensorflow  pip install tensorflow-cpu==2.21.0

Element i of a tensor whose name's bytes sum to s is
((37 i + s) mod 101 - 50) / 8, for integers without the division; that is exact
in every float type, and the tests compute it again. Quantised tensors have a
twin "NAME.values" in f32, as the format's own package dequantises them.
"""
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def values(name, shape, dtype=np.float32):
    count = int(np.prod(shape))
    whole = (37 * np.arange(count) + sum(name.encode())) % 101 - 50
    if dtype == np.bool_:
        whole = whole % 2 == 0
    elif np.issubdtype(dtype, np.unsignedinteger):
        whole = whole + 50
    elif not np.issubdtype(dtype, np.integer):
        whole = whole / 8
    return whole.reshape(shape).astype(dtype)


def make_gguf():
    import gguf
    from gguf import GGMLQuantizationType as Type

    out = gguf.GGUFWriter(f"{HERE}/small.gguf", "llama")
    out.add_block_count(2)
    out.add_head_count(2)
    out.add_head_count_kv(1)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_string("general.name", "a small file")
    out.add_uint8("kexue.u8", 200)
    out.add_int8("kexue.i8", -100)
    out.add_uint16("kexue.u16", 60000)
    out.add_int16("kexue.i16", -30000)
    out.add_int32("kexue.i32", -2000000000)
    out.add_uint64("kexue.u64", 2**63 - 1)
    out.add_int64("kexue.i64", -2**62)
    out.add_float64("kexue.f64", 0.1)
    out.add_bool("kexue.bool", True)
    out.add_array("kexue.floats", [0.5, -2.0])
    out.add_token_list(["<unk>", "a", "<0x0A>"])
    out.add_token_scores([0.0, -1.0, 0.0])
    out.add_token_types([2, 1, 6])
    out.add_unk_token_id(0)
    for name, dtype in {"t.f32": np.float32, "t.f16": np.float16,
                        "t.f64": np.float64, "t.i8": np.int8,
                        "t.i16": np.int16, "t.i32": np.int32,
                        "t.i64": np.int64}.items():
        out.add_tensor(name, values(name, (2, 3), dtype))
    out.add_tensor("t.bf16",
                   gguf.quants.quantize(values("t.bf16", (2, 4)), Type.BF16),
                   raw_dtype=Type.BF16)
    rng = np.random.default_rng(1)
    for kind in (Type.Q8_0, Type.Q4_0, Type.Q4_1):
        name = f"t.{kind.name.lower()}"
        blocks = gguf.quants.quantize(
            rng.normal(size=(3, 64)).astype(np.float32), kind)
        out.add_tensor(name, blocks, raw_dtype=kind)
        out.add_tensor(f"{name}.values", gguf.quants.dequantize(blocks, kind))
    for block in range(2):
        for part, shape in {"attn_norm": (4,), "attn_q": (8, 4),
                            "attn_k": (4, 4), "attn_v": (4, 4),
                            "attn_output": (4, 8), "ffn_norm": (4,),
                            "ffn_gate": (6, 4), "ffn_up": (6, 4),
                            "ffn_down": (4, 6)}.items():
            name = f"blk.{block}.{part}.weight"
            out.add_tensor(name, values(name, shape))
    for name in ("token_embd.weight", "output.weight"):
        out.add_tensor(name, values(name, (3, 4)))
    out.add_tensor("output_norm.weight", values("output_norm.weight", (4,)))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def make_onnx():
    import onnx
    from onnx import TensorProto as T
    from onnx import helper, numpy_helper

    raw, typed = [], []
    kinds = {"f32": (T.FLOAT, np.float32), "f16": (T.FLOAT16, np.float16),
             "f64": (T.DOUBLE, np.float64), "u8": (T.UINT8, np.uint8),
             "i8": (T.INT8, np.int8), "u16": (T.UINT16, np.uint16),
             "i16": (T.INT16, np.int16), "i32": (T.INT32, np.int32),
             "i64": (T.INT64, np.int64), "u32": (T.UINT32, np.uint32),
             "u64": (T.UINT64, np.uint64), "bool": (T.BOOL, np.bool_)}
    for name, (kind, dtype) in kinds.items():
        full = f"raw.{name}"
        raw.append(numpy_helper.from_array(values(full, (2, 3), dtype), full))
        full = f"typed.{name}"
        typed.append(helper.make_tensor(
            full, kind, (2, 3), values(full, (2, 3), dtype).flatten()))
    typed.append(helper.make_tensor(
        "typed.bf16", T.BFLOAT16, (2, 3), values("typed.bf16", (6,))))
    typed.append(helper.make_tensor("typed.text", T.STRING, (1,), [b"words"]))

    def weight(name, shape, dtype=np.float32):
        return numpy_helper.from_array(values(name, shape, dtype), name)

    # Three ways to write a linear layer, two of them without a good name.
    nodes = [
        helper.make_node("MatMul", ["x", "onnx::MatMul_7"], ["p"],
                         "/layer.0/dense/MatMul"),
        helper.make_node("Add", ["layer.0.dense.bias", "p"], ["y"]),
        helper.make_node("Gemm", ["y", "head.weight", "head.bias"], ["z"],
                         "/head/Gemm", transB=1),
        helper.make_node("MatMul", ["z", "onnx::MatMul_8"], ["w"],
                         "/tail/proj/MatMul"),
        helper.make_node("DynamicQuantizeLinear", ["w"], ["wq", "ws", "wz"]),
        helper.make_node("MatMulInteger",
                         ["wq", "onnx::MatMul_9_quantized", "wz",
                          "onnx::MatMul_9_zero_point"], ["i"], "m9"),
        helper.make_node("Cast", ["i"], ["f"], to=T.FLOAT),
        helper.make_node("Mul", ["f", "ws"], ["g"]),
        helper.make_node("Add", ["g", "layer.1.dense.bias"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("x", T.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("out", T.FLOAT, ["n", 5])],
        raw + typed + [
            weight("onnx::MatMul_7", (4, 6)),
            weight("layer.0.dense.bias", (6,)),
            weight("head.weight", (3, 6)), weight("head.bias", (3,)),
            weight("onnx::MatMul_8", (3, 4)),
            weight("onnx::MatMul_9_quantized", (4, 5), np.int8),
            helper.make_tensor("onnx::MatMul_9_scale", T.FLOAT, (), [0.1]),
            helper.make_tensor("onnx::MatMul_9_zero_point", T.INT8, (), [-3]),
            weight("layer.1.dense.bias", (5,)),
        ])
    model = helper.make_model(graph, producer_name="make_files",
                              opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, f"{HERE}/small.onnx")

    outside = [weight("outside.a", (40, 8)), weight("outside.b", (16, 8))]
    graph = helper.make_graph([], "outside", [], [], outside)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, f"{HERE}/outside.onnx", save_as_external_data=True,
              location="outside.onnx.data", size_threshold=0)


BERT = {
    "bert/embeddings/word_embeddings": (7, 4),
    "bert/embeddings/position_embeddings": (5, 4),
    "bert/embeddings/token_type_embeddings": (2, 4),
    "bert/embeddings/LayerNorm/gamma": (4,),
    "bert/embeddings/LayerNorm/beta": (4,),
    "bert/encoder/layer_0/attention/self/query/kernel": (4, 4),
    "bert/encoder/layer_0/attention/self/query/bias": (4,),
    "bert/encoder/layer_0/attention/self/key/kernel": (4, 4),
    "bert/encoder/layer_0/attention/self/key/bias": (4,),
    "bert/encoder/layer_0/attention/self/value/kernel": (4, 4),
    "bert/encoder/layer_0/attention/self/value/bias": (4,),
    "bert/encoder/layer_0/attention/output/dense/kernel": (4, 4),
    "bert/encoder/layer_0/attention/output/dense/bias": (4,),
    "bert/encoder/layer_0/attention/output/LayerNorm/gamma": (4,),
    "bert/encoder/layer_0/attention/output/LayerNorm/beta": (4,),
    "bert/encoder/layer_0/intermediate/dense/kernel": (4, 6),
    "bert/encoder/layer_0/intermediate/dense/bias": (6,),
    "bert/encoder/layer_0/output/dense/kernel": (6, 4),
    "bert/encoder/layer_0/output/dense/bias": (4,),
    "bert/encoder/layer_0/output/LayerNorm/gamma": (4,),
    "bert/encoder/layer_0/output/LayerNorm/beta": (4,),
    "bert/pooler/dense/kernel": (4, 4),
    "bert/pooler/dense/bias": (4,),
    "cls/predictions/output_bias": (7,),
    "cls/predictions/transform/LayerNorm/beta": (4,),
    "cls/predictions/transform/LayerNorm/gamma": (4,),
    "cls/predictions/transform/dense/bias": (4,),
    "cls/predictions/transform/dense/kernel": (4, 4),
    "cls/seq_relationship/output_bias": (2,),
    "cls/seq_relationship/output_weights": (2, 4),
}


def make_tensorflow():
    import tensorflow as tf

    def save(prefix, tensors):
        tf.raw_ops.SaveV2(prefix=prefix, tensor_names=list(tensors),
                          shape_and_slices=[""] * len(tensors),
                          tensors=list(tensors.values()))

    bert = {name: values(name, shape) for name, shape in BERT.items()}
    bert["bert/pooler/dense/kernel/adam_m"] = values("m", (4, 4))
    bert["global_step"] = np.int64(12)
    save(f"{HERE}/bert_model.ckpt", bert)

    types = {"f32": np.float32, "f16": np.float16, "f64": np.float64,
             "u8": np.uint8, "i8": np.int8, "u16": np.uint16, "i16": np.int16,
             "i32": np.int32, "i64": np.int64, "u32": np.uint32,
             "u64": np.uint64, "bool": np.bool_, "c64": np.complex64}
    parts = [{}, {}]
    for i, (name, dtype) in enumerate(types.items()):
        parts[i % 2][f"t/{name}"] = values(f"t/{name}", (2, 3), dtype)
    parts[0]["t/bf16"] = tf.cast(values("t/bf16", (2, 3)), tf.bfloat16)
    parts[1]["t/text"] = tf.constant(["some", "words"])
    parts[1]["t/empty"] = values("t/empty", (0, 3))
    parts[1]["t/scalar"] = values("t/scalar", ())
    for i, part in enumerate(parts):
        save(f"{HERE}/part{i}", part)
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[f"{HERE}/part0", f"{HERE}/part1"],
        destination_prefix=f"{HERE}/types.ckpt")

    # Two slices of one variable: what a partitioner leaves.
    whole = values("v", (4, 2))
    tf.raw_ops.SaveV2(prefix=f"{HERE}/sliced.ckpt", tensor_names=["v", "v"],
                      shape_and_slices=["4 2 0,2:-", "4 2 2,2:-"],
                      tensors=[whole[:2], whole[2:]])


if __name__ == "__main__":
    makers = {"gguf": make_gguf, "onnx": make_onnx,
              "tensorflow": make_tensorflow}
    if len(sys.argv) != 2 or sys.argv[1] not in makers:
        sys.exit(__doc__)
    makers[sys.argv[1]]()
