"""A BERT of a few kilobytes as a Hugging Face folder, and texts for it."""
import json
import os
import random
import struct

WORDS = ["good", "bad", "book", "film", "very", "not", "##s", "a"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS
HIDDEN, INNER, LAYERS, POSITIONS = 32, 64, 2, 32


def tensors(labels):
    shapes = {
        "embeddings.word_embeddings.weight": (len(VOCABULARY), HIDDEN),
        "embeddings.position_embeddings.weight": (POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.LayerNorm.weight": (HIDDEN,),
        "embeddings.LayerNorm.bias": (HIDDEN,),
    }
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        for name in ("attention.self.query", "attention.self.key",
                     "attention.self.value", "attention.output.dense"):
            shapes[at + name + ".weight"] = (HIDDEN, HIDDEN)
            shapes[at + name + ".bias"] = (HIDDEN,)
        shapes[at + "intermediate.dense.weight"] = (INNER, HIDDEN)
        shapes[at + "intermediate.dense.bias"] = (INNER,)
        shapes[at + "output.dense.weight"] = (HIDDEN, INNER)
        shapes[at + "output.dense.bias"] = (HIDDEN,)
        for name in ("attention.output", "output"):
            shapes[at + name + ".LayerNorm.weight"] = (HIDDEN,)
            shapes[at + name + ".LayerNorm.bias"] = (HIDDEN,)
    shapes = {"bert." + name: shape for name, shape in shapes.items()}
    if labels:
        shapes["classifier.weight"] = (labels, HIDDEN)
        shapes["classifier.bias"] = (labels,)
    return shapes


def safetensors(shapes, change_header=None):
    rng = random.Random(7)
    header, data = {}, b""
    for name, shape in shapes.items():
        count = 1
        for size in shape:
            count *= size
        norm = "LayerNorm.weight" in name
        values = [1.0 if norm else rng.gauss(0, 0.1) for _ in range(count)]
        header[name] = {"dtype": "F32", "shape": list(shape),
                        "data_offsets": [len(data), len(data) + 4 * count]}
        data += struct.pack(f"<{count}f", *values)
    if change_header:
        change_header(header)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def write(folder, labels=0, change_header=None):
    """Writes config.json, vocab.txt and model.safetensors; labels 0: none."""
    os.makedirs(folder)
    config = {
        "model_type": "bert", "vocab_size": len(VOCABULARY),
        "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": 2, "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS, "type_vocab_size": 2,
        "hidden_act": "gelu", "layer_norm_eps": 1e-12,
    }
    if labels:
        config["id2label"] = {str(n): f"L{n}" for n in range(labels)}
        config["label2id"] = {f"L{n}": n for n in range(labels)}
    with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
        json.dump(config, file)
    with open(f"{folder}/vocab.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(VOCABULARY) + "\n")
    with open(f"{folder}/model.safetensors", "wb") as file:
        file.write(safetensors(tensors(labels), change_header))
    return folder


def write_reviews(path, rows, seed=1):
    """Rows `1<TAB>a good book` and `0<TAB>a bad film`."""
    rng = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        for n in range(rows):
            mood = "bad good".split()[n % 2]
            noun = rng.choice(["book", "film", "books", "films"])
            file.write(f"{n % 2}\t{'very ' * rng.randrange(4)}{mood} {noun}\n")
    return path
