#!/usr/bin/env python3
"""The works of `kexue bench` in PyTorch: same start, same steps.

  works_torch.py WORK --start FILE [--dtype bf16] [--variant eager|compile]

Meant to be a good peer: scaled_dot_product_attention, fused AdamW, autocast.
Reads step counts from stdin (see serve.py).
"""
import serve

ARGS = serve.arguments(("eager", "compile"))
serve.limit_threads(ARGS.threads)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

torch.set_num_threads(ARGS.threads)
HEAD = 64


def dense(p, name, x):
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def norm(p, name, x):
    return F.layer_norm(x, x.shape[-1:], p[name + ".weight"],
                        p[name + ".bias"], 1e-5)


def layers_of(p):
    names = [n[len("layers."):] for n in p if n.startswith("layers.")]
    depth = len(p["layers." + names[0]])
    return [{n: p["layers." + n][i] for n in names} for i in range(depth)]


def heads(x):
    b, t, h = x.shape
    return x.view(b, t, h // HEAD, HEAD).transpose(1, 2)


def attention(p, x, turn=lambda x: x, causal=False, mask=None):
    q, k = turn(heads(dense(p, "query", x))), turn(heads(dense(p, "key", x)))
    o = F.scaled_dot_product_attention(q, k, heads(dense(p, "value", x)),
                                       attn_mask=mask, is_causal=causal)
    return dense(p, "output", o.transpose(1, 2).reshape(x.shape))


def feed_forward(p, x):
    return dense(p, "outer", F.gelu(dense(p, "inner", x)))


def bert_layer(p, x, mask=None):
    x = norm(p, "norm1", x + attention(p, x, mask=mask))
    return norm(p, "norm2", x + feed_forward(p, x))


def encode(p, ids, mask=None):
    x = F.embedding(ids, p["words"]) + p["positions"][:ids.shape[1]]
    x = norm(p, "embedding_norm", x)
    for layer in layers_of(p):
        x = bert_layer(layer, x, mask)
    return x


def bert_train(p, i):
    x = encode(p, i["ids"])
    rows = x.flatten(0, 1)[i["places"]]
    y = norm(p, "head_norm", F.gelu(dense(p, "head", rows)))
    return F.cross_entropy(F.linear(y, p["words"], p["head_bias"]).float(),
                           i["labels"])


def bert_embed(p, i):
    x = encode(p, i["ids"]).float()
    return F.normalize(x.mean(1), dim=1).abs().mean()


def embed_mixed(p, ids, order, lengths):
    """Sorted by length, 32 at a time, padded to the longest of the 32."""
    total = 0.0
    for rows in order.split(32):
        block = ids[rows, :int(lengths[rows].max())]
        mask = block != 0
        x = encode(p, block, mask[:, None, None, :]).float()
        m = mask[:, :, None].float()
        mean = (x * m).sum(1) / m.sum(1)
        total += F.normalize(mean, dim=1).abs().sum()
    return total / (ids.shape[0] * p["words"].shape[1])


def rope_tables(t):
    half = HEAD // 2
    angle = (torch.arange(t, dtype=torch.float64)[:, None] *
             10000.0 ** (-torch.arange(half, dtype=torch.float64) / half))
    return angle.cos().float(), angle.sin().float()


def gpt_train(p, i):
    x = F.embedding(i["ids"], p["words"])
    c, s = rope_tables(x.shape[1])

    def turn(v):
        a, b = v.float().chunk(2, -1)
        return torch.cat((a * c - b * s, b * c + a * s), -1).to(v.dtype)

    for layer in layers_of(p):
        x = x + attention(layer, norm(layer, "norm1", x), turn, causal=True)
        x = x + feed_forward(layer, norm(layer, "norm2", x))
    rows = norm(p, "last_norm", x).flatten(0, 1)
    return F.cross_entropy(F.linear(rows, p["words"]).float(),
                           i["labels"].flatten())


def deep_scan(p, i):
    x = i["x"]
    for layer in layers_of(p):
        x = bert_layer(layer, x)
    return (x.float() - i["target"]).square().mean()


def lru_scan(p, i):
    radius = torch.exp(-torch.exp(p["nu"]))
    decay = torch.complex(radius * p["theta"].cos(), radius * p["theta"].sin())
    u = torch.complex(F.linear(i["u"], p["b_re"]), F.linear(i["u"], p["b_im"]))
    x, xs = torch.zeros_like(u[0]), []
    for row in u.unbind(0):
        x = decay * x + row
        xs.append(x)
    x = torch.stack(xs)
    y = F.linear(x.real, p["c_re"]) - F.linear(x.imag, p["c_im"])
    return y.square().mean()


def mlp(p, name, x):
    for k in range(4):
        x = dense(p, f"{name}{k}", x)
        x = F.silu(x) if k < 3 else x
    return x


def wgan_losses(p, i):
    fake = mlp(p, "generator", i["noise"])
    held = fake.detach()
    between = (i["real"] + i["mix"] * (held - i["real"])).requires_grad_()
    slope = torch.autograd.grad(mlp(p, "critic", between).sum(), between,
                                create_graph=True)[0]
    length = (slope.square().sum(1, keepdim=True) + 1e-12).sqrt() - 1
    critic = (mlp(p, "critic", held).mean() - mlp(p, "critic", i["real"]).mean()
              + 10 * length.square().mean())
    return critic, -mlp(p, "critic", fake).mean()


def conv(p, name, x, stride=1):
    w = p[name + ".weight"].permute(3, 2, 0, 1)
    return F.conv2d(x, w, p[name + ".bias"], stride, w.shape[-1] // 2)


def group_norm(p, name, x):
    return F.group_norm(x, min(8, x.shape[1]), p[name + ".weight"],
                        p[name + ".bias"], 1e-5)


def block(p, name, x, t):
    h = conv(p, name + ".conv1", F.silu(group_norm(p, name + ".norm1", x)))
    h = h + dense(p, name + ".time", t)[:, :, None, None]
    h = conv(p, name + ".conv2", F.silu(group_norm(p, name + ".norm2", h)))
    return h + (conv(p, name + ".skip", x) if name + ".skip.weight" in p
                else x)


def unet_train(p, i):
    share = torch.sigmoid(i["keep"])
    x = share.sqrt() * i["images"] + (1 - share).sqrt() * i["noise"]
    x = x.permute(0, 3, 1, 2)  # channels stay last in memory
    t = F.silu(dense(p, "time2", F.silu(dense(p, "time1", i["time"]))))
    full = block(p, "down1", conv(p, "first", x), t)
    half = block(p, "down2", conv(p, "shrink1", full, 2), t)
    low = block(p, "middle", conv(p, "shrink2", half, 2), t)
    y = conv(p, "grow1", F.interpolate(low, scale_factor=2))
    y = block(p, "up1", torch.cat((y, half), 1), t)
    y = conv(p, "grow2", F.interpolate(y, scale_factor=2))
    y = block(p, "up2", torch.cat((y, full), 1), t)
    y = conv(p, "last", F.silu(group_norm(p, "last_norm", y)))
    return (i["noise"].permute(0, 3, 1, 2) - y.float()).square().mean()


def cosent(cosine, label):
    """The sorted form: running logsumexp of what has a lower label."""
    order = label.argsort(stable=True)
    scaled, sorted_label = 20 * cosine[order], label[order]
    running = torch.logcumsumexp(scaled, 0)
    first = torch.searchsorted(sorted_label, sorted_label)
    term = running[(first - 1).clamp(min=0)] - scaled
    term = term[first > 0]
    return torch.logsumexp(torch.cat((term, torch.zeros(1))), 0)


LOSSES = {"unet-train": unet_train, "bert-train": bert_train, "bert-embed": bert_embed,
          "gpt-train": gpt_train, "deep-scan": deep_scan,
          "lru-scan": lru_scan, "mlp-wgan-gp": wgan_losses}


def adamw(params, **options):
    settings = {"lr": 1e-4, "weight_decay": 0.01, "fused": True} | options
    return torch.optim.AdamW(params, **settings)


def wgan_step(p, i, autocast):
    own = {who: [v for n, v in p.items() if n.startswith(who)]
           for who in ("critic", "generator")}
    rules = {who: adamw(v, betas=(0.5, 0.9), weight_decay=0.0)
             for who, v in own.items()}
    losses = wgan_losses
    if ARGS.variant == "compile":
        raise SystemExit("torch.compile does not take second order")

    def step():
        with autocast():
            critic, fooled = losses(p, i)
        grads = {"critic": torch.autograd.grad(critic, own["critic"],
                                               retain_graph=True),
                 "generator": torch.autograd.grad(fooled, own["generator"])}
        for who, rule in rules.items():
            for v, g in zip(own[who], grads[who]):
                v.grad = g
            rule.step()
        return critic.item()
    return step


def make_step(work, tensors):
    p = {n: t for n, t in tensors.items() if n in STATE}
    i = {n: (t.long() if t.dtype == torch.int32 else t)
         for n, t in tensors.items() if n not in STATE}

    def autocast():
        return torch.autocast("cpu", torch.bfloat16,
                              enabled=ARGS.dtype == "bf16")

    if work.startswith("update-"):
        import rules_torch
        return rules_torch.step_of(
            work[len("update-"):],
            *(tensors[n] for n in ("weight", "bias", "g.weight", "g.bias")))
    if work == "adamw":
        w, g = tensors["w"].clone().requires_grad_(), tensors["g"]
        rule = adamw([w])

        def step():
            w.grad = g
            rule.step()
            return w[0].item()
        return step
    if work == "cosent":
        box = [tensors["cosine"].clone()]

        def descend():
            x = box[0].requires_grad_()
            value = cosent(x, tensors["label"])
            box[0] = x.detach() - 1e-3 * torch.autograd.grad(value, x)[0]
            return value.item()
        return descend
    if work == "knn":
        def search():
            with torch.no_grad(), autocast():
                return torch.stack([
                    (q @ tensors["rows"].T).topk(10).values.float().mean()
                    for q in tensors["queries"]]).mean().item()
        return search
    if work == "bert-embed-mixed":
        q = {n: t for n, t in tensors.items() if n != "ids"}
        ids = tensors["ids"].long()
        lengths = (ids != 0).sum(1)
        order = lengths.argsort()

        def embed_all():
            with torch.no_grad(), autocast():
                return embed_mixed(q, ids, order, lengths).item()
        return embed_all
    if work == "bert-embed":
        p = {n: t for n, t in tensors.items() if n != "ids"}
    else:
        p = {n: t.clone().requires_grad_() for n, t in p.items()}
    if work == "mlp-wgan-gp":
        return wgan_step(p, i, autocast)
    loss = LOSSES[work]
    if ARGS.variant == "compile":
        loss = torch.compile(loss)
    if work == "bert-embed":
        def embed():
            with torch.no_grad(), autocast():
                return loss(p, {"ids": tensors["ids"].long()}).item()
        return embed
    rule = adamw(list(p.values()))
    averages = [t.clone() for n, t in EMA.items()]
    averaged = [p[n] for n in EMA]

    def step():
        with autocast():
            value = loss(p, i)
        rule.zero_grad(set_to_none=True)
        value.backward()
        rule.step()
        if averages:
            with torch.no_grad():
                torch._foreach_lerp_(averages, averaged, 0.001)
        return value.item()
    return step


TENSORS = load_file(ARGS.start)
# What AdamW keeps beside a tensor names the tensors that are trained.
STATE = {n[2:] for n in TENSORS if n.startswith("m.")}
EMA = {n[4:]: t for n, t in TENSORS.items() if n.startswith("ema.")}
serve.serve(make_step(ARGS.work, {
    n: t for n, t in TENSORS.items()
    if not n.startswith(("m.", "v.", "ema.")) and n != "step"}))
