#!/usr/bin/env python3
"""The works of `kexue bench` in JAX: same start, same steps.

  works_jax.py WORK --start FILE [--dtype bf16] [--variant unrolled|scan|remat]

The step is one jitted program with donated state. In bf16, parameters are
cast once a step and activations stay bf16 between products; norms, softmax
and losses run in f32. Reads step counts from stdin (see serve.py).
"""
import serve

ARGS = serve.arguments(("unrolled", "scan", "remat"))
serve.limit_threads(ARGS.threads)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from safetensors.flax import load_file  # noqa: E402

HEAD = 64
LOW = jnp.bfloat16 if ARGS.dtype == "bf16" else jnp.float32


def low(p):
    return {n: v.astype(LOW) if v.dtype == jnp.float32 else v
            for n, v in p.items()}


def dense(p, name, x):
    return x @ p[name + ".weight"].T + p[name + ".bias"]


def norm(p, name, x):
    x32 = x.astype(jnp.float32)
    d = x32 - x32.mean(-1, keepdims=True)
    y = d * jax.lax.rsqrt((d * d).mean(-1, keepdims=True) + 1e-5)
    y = y * p[name + ".weight"].astype(jnp.float32) + p[name + ".bias"].astype(
        jnp.float32)
    return y.astype(x.dtype)


def gelu(x):
    return jax.nn.gelu(x, approximate=False)


def run_layers(p, x, layer):
    names = [n for n in p if n.startswith("layers.")]
    stacked = {n[len("layers."):]: p[n] for n in names}
    if ARGS.variant == "unrolled":
        for k in range(len(p[names[0]])):
            x = layer({n: v[k] for n, v in stacked.items()}, x)
        return x
    body = jax.checkpoint(layer) if ARGS.variant == "remat" else layer
    return jax.lax.scan(lambda c, q: (body(q, c), None), x, stacked)[0]


def heads(x):
    b, t, h = x.shape
    return x.reshape(b, t, h // HEAD, HEAD)


def attention(p, x, turn=lambda v: v, causal=False, mask=None):
    q, k = turn(heads(dense(p, "query", x))), turn(heads(dense(p, "key", x)))
    v = heads(dense(p, "value", x))
    s = jnp.einsum("bthd,bshd->bhts", q, k).astype(jnp.float32) / HEAD ** 0.5
    if causal:
        t = x.shape[1]
        s = jnp.where(jnp.tril(jnp.ones((t, t), bool)), s, -jnp.inf)
    if mask is not None:
        s = jnp.where(mask[:, None, None, :], s, -jnp.inf)
    share = jax.nn.softmax(s, -1).astype(x.dtype)
    o = jnp.einsum("bhts,bshd->bthd", share, v).reshape(x.shape)
    return dense(p, "output", o)


def feed_forward(p, x):
    return dense(p, "outer", gelu(dense(p, "inner", x)))


def bert_layer(p, x, mask=None):
    x = norm(p, "norm1", x + attention(p, x, mask=mask))
    return norm(p, "norm2", x + feed_forward(p, x))


def encode(p, ids, mask=None):
    x = p["words"][ids] + p["positions"][:ids.shape[1]]
    return run_layers(p, norm(p, "embedding_norm", x),
                      lambda q, v: bert_layer(q, v, mask))


def cross_entropy(logits, labels):
    logits = logits.astype(jnp.float32)
    picked = jnp.take_along_axis(logits, labels[:, None], 1)[:, 0]
    return (jax.nn.logsumexp(logits, -1) - picked).mean()


def bert_train(p, i):
    p = low(p)
    x = encode(p, i["ids"])
    rows = x.reshape(-1, x.shape[-1])[i["places"]]
    y = norm(p, "head_norm", gelu(dense(p, "head", rows)))
    return cross_entropy(y @ p["words"].T + p["head_bias"], i["labels"])


def bert_embed(p, i):
    mean = encode(low(p), i["ids"]).astype(jnp.float32).mean(1)
    unit = mean / jnp.linalg.norm(mean, axis=1, keepdims=True)
    return jnp.abs(unit).mean()


def embed_block(p, ids):
    mask = ids != 0
    x = encode(low(p), ids, mask).astype(jnp.float32)
    m = mask[:, :, None].astype(jnp.float32)
    mean = (x * m).sum(1) / m.sum(1)
    unit = mean / jnp.linalg.norm(mean, axis=1, keepdims=True)
    return jnp.abs(unit).sum()


def embed_mixed(p, ids):
    """Sorted by length, 32 at a time, padded to a multiple of 16."""
    lengths = (ids != 0).sum(1)
    order = lengths.argsort()
    f = jax.jit(embed_block)
    blocks = []
    for k in range(0, len(order), 32):
        rows = order[k:k + 32]
        width = min(-(-int(lengths[rows].max()) // 16) * 16, ids.shape[1])
        blocks.append(jnp.asarray(ids[rows, :width]))
    size = ids.shape[0] * p["words"].shape[1]
    return lambda: sum(f(p, b) for b in blocks) / size


def gpt_train(p, i):
    p = low(p)
    t, half = i["ids"].shape[1], HEAD // 2
    angle = (jnp.arange(t)[:, None] *
             10000.0 ** (-jnp.arange(half) / half))[:, None, :]
    c, s = jnp.cos(angle), jnp.sin(angle)

    def turn(v):
        a, b = jnp.split(v.astype(jnp.float32), 2, -1)
        y = jnp.concatenate((a * c - b * s, b * c + a * s), -1)
        return y.astype(v.dtype)

    def layer(q, x):
        x = x + attention(q, norm(q, "norm1", x), turn, causal=True)
        return x + feed_forward(q, norm(q, "norm2", x))

    x = norm(p, "last_norm", run_layers(p, p["words"][i["ids"]], layer))
    rows = x.reshape(-1, x.shape[-1])
    return cross_entropy(rows @ p["words"].T, i["labels"].reshape(-1))


def deep_scan(p, i):
    y = run_layers(low(p), i["x"].astype(LOW), bert_layer)
    return jnp.square(y.astype(jnp.float32) - i["target"]).mean()


def lru_scan(p, i):
    decay = jnp.exp(-jnp.exp(p["nu"])) * jnp.exp(1j * p["theta"])
    u = i["u"] @ p["b_re"].T + 1j * (i["u"] @ p["b_im"].T)

    def turn(x, row):
        x = decay * x + row
        return x, x

    x = jax.lax.scan(turn, jnp.zeros_like(u[0]), u)[1]
    y = x.real @ p["c_re"].T - x.imag @ p["c_im"].T
    return jnp.square(y).mean()


def mlp(p, name, x):
    for k in range(4):
        x = dense(p, f"{name}{k}", x)
        x = jax.nn.silu(x) if k < 3 else x
    return x


def critic_loss(p, i):
    p, i = low(p), low(i)
    held = jax.lax.stop_gradient(mlp(p, "generator", i["noise"]))
    between = i["real"] + i["mix"] * (held - i["real"])
    slope = jax.grad(lambda x: mlp(p, "critic", x).sum())(between)
    squares = jnp.square(slope.astype(jnp.float32)).sum(1, keepdims=True)
    length = jnp.sqrt(squares + 1e-12) - 1
    return (mlp(p, "critic", held).mean() - mlp(p, "critic", i["real"]).mean()
            + 10 * jnp.square(length).mean()).astype(jnp.float32)


def fooled_loss(p, i):
    p, i = low(p), low(i)
    fake = mlp(p, "generator", i["noise"])
    return -mlp(p, "critic", fake).mean().astype(jnp.float32)


def wgan_grads(p, i):
    value, critic = jax.value_and_grad(critic_loss)(p, i)
    fooled = jax.grad(fooled_loss)(p, i)
    return value, {n: (critic if n.startswith("critic") else fooled)[n]
                   for n in p}


def conv(p, name, x, stride=1):
    w = p[name + ".weight"]
    pad = w.shape[0] // 2
    y = jax.lax.conv_general_dilated(
        x, w, (stride, stride), ((pad, pad), (pad, pad)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return y + p[name + ".bias"]


def group_norm(p, name, x):
    b, h, w, c = x.shape
    g = min(8, c)
    v = x.astype(jnp.float32).reshape(b, h * w, g, c // g)
    d = v - v.mean((1, 3), keepdims=True)
    y = d * jax.lax.rsqrt((d * d).mean((1, 3), keepdims=True) + 1e-5)
    return (y.reshape(x.shape).astype(x.dtype) * p[name + ".weight"] +
            p[name + ".bias"])


def block(p, name, x, t):
    silu = jax.nn.silu
    h = conv(p, name + ".conv1", silu(group_norm(p, name + ".norm1", x)))
    h = h + dense(p, name + ".time", t)[:, None, None, :]
    h = conv(p, name + ".conv2", silu(group_norm(p, name + ".norm2", h)))
    return h + (conv(p, name + ".skip", x) if name + ".skip.weight" in p
                else x)


def grown(x):
    return x.repeat(2, 1).repeat(2, 2)


def unet_train(p, i):
    p, silu = low(p), jax.nn.silu
    share = jax.nn.sigmoid(i["keep"])
    x = jnp.sqrt(share) * i["images"] + jnp.sqrt(1 - share) * i["noise"]
    x = x.astype(LOW)
    t = i["time"].astype(LOW)
    t = silu(dense(p, "time2", silu(dense(p, "time1", t))))
    full = block(p, "down1", conv(p, "first", x), t)
    half = block(p, "down2", conv(p, "shrink1", full, 2), t)
    y = block(p, "middle", conv(p, "shrink2", half, 2), t)
    y = conv(p, "grow1", grown(y))
    y = block(p, "up1", jnp.concatenate((y, half), 3), t)
    y = conv(p, "grow2", grown(y))
    y = block(p, "up2", jnp.concatenate((y, full), 3), t)
    y = conv(p, "last", silu(group_norm(p, "last_norm", y)))
    return jnp.square(i["noise"] - y.astype(jnp.float32)).mean()


def cosent(cosine, label):
    order = jnp.argsort(label, stable=True)
    scaled, ordered = 20 * cosine[order], label[order]
    running = jax.lax.cumlogsumexp(scaled)
    first = jnp.searchsorted(ordered, ordered)
    term = running[jnp.maximum(first - 1, 0)] - scaled
    term = jnp.where(first > 0, term, -1e30)
    return jax.nn.logsumexp(jnp.append(term, 0.0))


LOSSES = {"unet-train": unet_train, "bert-train": bert_train, "gpt-train": gpt_train,
          "deep-scan": deep_scan, "lru-scan": lru_scan}


def update(w, g, m, v, t, b1=0.9, b2=0.999, decay=0.01):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
    u = (m / (1 - b1 ** t)) / (jnp.sqrt(v / (1 - b2 ** t)) + 1e-8)
    return w - 1e-4 * (u + decay * w), m, v


def training_step(grads_of, options):
    def step(state, i):
        p, m, v, t, ema = state
        value, g = grads_of(p, i)
        t = t + 1
        new = {n: update(p[n], g[n], m[n], v[n], t, **options) for n in p}
        parts = [{n: new[n][k] for n in p} for k in range(3)]
        ema = {n: e + 0.001 * (parts[0][n] - e) for n, e in ema.items()}
        return (*parts, t, ema), value
    return jax.jit(step, donate_argnums=0)


def make_step(work, tensors):
    if work == "bert-embed-mixed":
        return embed_mixed({n: t for n, t in tensors.items() if n != "ids"},
                           np.asarray(tensors["ids"]))
    if work == "bert-embed":
        f = jax.jit(bert_embed)
        p = {n: t for n, t in tensors.items() if n != "ids"}
        return lambda: f(p, {"ids": tensors["ids"]})
    if work == "cosent":
        f = jax.jit(lambda c, y: (lambda v, g: (v, c - 1e-3 * g))(
            *jax.value_and_grad(cosent)(c, y)), donate_argnums=0)
        cell = [tensors["cosine"]]

        def descend():
            value, cell[0] = f(cell[0], tensors["label"])
            return jax.block_until_ready(value)
        return descend
    if work == "knn":
        f = jax.jit(lambda qs, rows: jax.lax.map(
            lambda q: jax.lax.top_k(q @ rows.T, 10)[0].mean(), qs).mean())
        return lambda: f(tensors["queries"], tensors["rows"])
    if work.startswith("update-"):
        import rules_optax
        return rules_optax.step_of(
            work[len("update-"):],
            *(tensors[n] for n in ("weight", "bias", "g.weight", "g.bias")))
    if work == "adamw":
        def advance(s, g):
            new = update(*s[:1], g, *s[1:3], s[3] + 1)
            return (*new, s[3] + 1), new[0][0]

        f = jax.jit(advance, donate_argnums=0)
        box = [(tensors["w"], tensors["m"], tensors["v"], jnp.float32(0))]

        def step():
            box[0], value = f(box[0], tensors["g"])
            return jax.block_until_ready(value)
        return step
    names = [n[2:] for n in tensors if n.startswith("m.")]
    p = {n: tensors[n] for n in names}
    i = {n: t for n, t in tensors.items()
         if n not in p and not n.startswith(("m.", "v.", "ema.")) and
         n != "step"}
    zero = {n: jnp.zeros_like(t) for n, t in p.items()}
    if work == "mlp-wgan-gp":
        f = training_step(wgan_grads, {"b1": 0.5, "b2": 0.9, "decay": 0.0})
    else:
        f = training_step(jax.value_and_grad(LOSSES[work]), {})
    box = [(p, zero, {n: jnp.copy(t) for n, t in zero.items()},
            jnp.float32(0), {n: tensors["ema." + n] for n in names
                             if "ema." + n in tensors})]

    def step():
        box[0], value = f(box[0], i)
        jax.block_until_ready(box[0])
        return value
    return step


serve.serve(make_step(ARGS.work, load_file(ARGS.start)))
