"""BERT with a classifier, in plain PyTorch: what our program is compared with.

Shared by bert_finetune_torch.py and step_bench_torch.py. Meant to be a good
peer: attention goes through scaled_dot_product_attention, AdamW is the fused
CPU kernel, products run in bf16 under autocast, masters stay f32.

  B batch, T tokens, D hidden, H heads
"""
import json
import os

import torch
import torch.nn.functional as F
from torch import nn


class Layer(nn.Module):
    """One post-norm encoder layer. x [B,T,D], mask bool [B,1,1,T]."""

    def __init__(self, c):
        super().__init__()
        d = c["hidden_size"]
        self.heads = c["num_attention_heads"]
        self.p_hidden = c["hidden_dropout_prob"]
        self.p_attention = c["attention_probs_dropout_prob"]
        self.query, self.key = nn.Linear(d, d), nn.Linear(d, d)
        self.value, self.attention_out = nn.Linear(d, d), nn.Linear(d, d)
        self.up = nn.Linear(d, c["intermediate_size"])
        self.down = nn.Linear(c["intermediate_size"], d)
        self.attention_norm = nn.LayerNorm(d, c["layer_norm_eps"])
        self.out_norm = nn.LayerNorm(d, c["layer_norm_eps"])

    def forward(self, x, mask):
        b, t, d = x.shape

        def split(y):
            return y.view(b, t, self.heads, d // self.heads).transpose(1, 2)

        mixed = F.scaled_dot_product_attention(
            split(self.query(x)), split(self.key(x)), split(self.value(x)),
            attn_mask=mask,
            dropout_p=self.p_attention if self.training else 0.0)
        mixed = self.attention_out(mixed.transpose(1, 2).reshape(b, t, d))
        x = self.attention_norm(
            x + F.dropout(mixed, self.p_hidden, self.training))
        grown = self.down(F.gelu(self.up(x)))
        return self.out_norm(
            x + F.dropout(grown, self.p_hidden, self.training))


class BertClassifier(nn.Module):
    """Logits [B,classes] from dropout(h of [CLS]) and one linear layer."""

    def __init__(self, c, classes=2):
        super().__init__()
        d = c["hidden_size"]
        self.p_hidden = c["hidden_dropout_prob"]
        self.words = nn.Embedding(c["vocab_size"], d)
        self.positions = nn.Embedding(c["max_position_embeddings"], d)
        self.types = nn.Embedding(c["type_vocab_size"], d)
        self.norm = nn.LayerNorm(d, c["layer_norm_eps"])
        self.layers = nn.ModuleList(
            Layer(c) for _ in range(c["num_hidden_layers"]))
        self.classifier = nn.Linear(d, classes)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, ids, mask):
        t = ids.shape[1]
        x = self.words(ids) + self.positions.weight[:t] + self.types.weight[0]
        x = F.dropout(self.norm(x), self.p_hidden, self.training)
        mask = mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        cls = F.dropout(x[:, 0], self.p_hidden, self.training)
        return self.classifier(cls)


# Our name of a module in Layer -> the name in the weights file.
LAYER_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "out_norm": "output.LayerNorm",
}


def load(folder, classes=2, dropout=0.1):
    """The model of a Hugging Face directory with a new classifier."""
    from safetensors.torch import load_file
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    config["hidden_dropout_prob"] = dropout
    config["attention_probs_dropout_prob"] = dropout
    model = BertClassifier(config, classes)
    weights = load_file(os.path.join(folder, "model.safetensors"))
    ours = {
        "words.weight": "embeddings.word_embeddings.weight",
        "positions.weight": "embeddings.position_embeddings.weight",
        "types.weight": "embeddings.token_type_embeddings.weight",
        "norm.weight": "embeddings.LayerNorm.weight",
        "norm.bias": "embeddings.LayerNorm.bias",
    }
    for n in range(config["num_hidden_layers"]):
        for name, theirs in LAYER_NAMES.items():
            for part in ("weight", "bias"):
                ours[f"layers.{n}.{name}.{part}"] = (
                    f"encoder.layer.{n}.{theirs}.{part}")
    state = {name: weights[theirs] for name, theirs in ours.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or set(missing) != {"classifier.weight", "classifier.bias"}:
        raise SystemExit(f"weights: missing {missing}, extra {unexpected}")
    return model


def adamw(model, lr, weight_decay=0.01):
    """Fused AdamW; biases and LayerNorm are not decayed."""
    plain, decayed = [], []
    for name, parameter in model.named_parameters():
        no_decay = name.endswith("bias") or "norm" in name
        (plain if no_decay else decayed).append(parameter)
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": weight_decay},
         {"params": plain, "weight_decay": 0.0}], lr=lr, fused=True)


def train_step(model, optimizer, batch, dtype, clip=1.0):
    """One whole step; returns the loss as a tensor."""
    ids, mask, labels = batch
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bf16"):
        logits = model(ids, mask)
    loss = F.cross_entropy(logits.float(), labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.detach()
