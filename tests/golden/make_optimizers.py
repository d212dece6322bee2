#!/usr/bin/env python3
"""Writes optimizers.json: 100 steps of each update rule on a small problem.

  pip install torch optax   (made with the versions that the file names)
  python make_optimizers.py > optimizers.json

The problem: loss = mean((tanh(X A + b) B - Y)^2) in f64, with two matrices and
a vector. `source` of a run says whose steps they are: torch.optim, optax, or
numpy here, written from the paper where neither has the rule in that form.
Each run keeps the parameters after steps 1, 10 and 100; `evaluated` is the
point to evaluate where that is another one.
"""
import inspect
import json
import math

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402
import optax.contrib  # noqa: E402
import torch  # noqa: E402

NAMES = ["hidden.weight", "hidden.bias", "out.weight"]
KEPT = (1, 10, 100)
F32_RATES = "optax.adafactor, its rate of decay in f32"


def waves(shape, a, b):
    n = np.arange(int(np.prod(shape)), dtype=np.float64)
    return np.round(np.sin(a + b * n), 6).reshape(shape)


X, Y = waves((8, 4), 0.3, 1.7), 0.8 * waves((8, 3), 1.1, 0.9)
START = [0.6 * waves((4, 6), 2.0, 2.3), 0.1 * waves((6,), 0.5, 1.3),
         0.7 * waves((6, 3), 4.0, 3.1)]


def gradients(w):
    """By hand; main() checks them against jax."""
    a, b, c = w
    h = np.tanh(X @ a + b)
    e = 2 * (h @ c - Y) / Y.size
    dh = (e @ c.T) * (1 - h * h)
    return [X.T @ dh, dh.sum(0), h.T @ e]


def loss(w):
    return jnp.mean((jnp.tanh(X @ w[0] + w[1]) @ w[2] - Y) ** 2)


def with_torch(make):
    w = [torch.tensor(s, requires_grad=True) for s in START]
    optimizers = make(w)
    for step in range(1, 101):
        for tensor, g in zip(w, gradients([t.detach().numpy() for t in w])):
            tensor.grad = torch.tensor(g)
        for o in optimizers:
            o.step()
        yield step, [t.detach().numpy() for t in w]


def with_optax(rule, evaluate=None):
    w = [jnp.asarray(s) for s in START]
    state = rule.init(w)
    update = jax.jit(rule.update)
    for step in range(1, 101):
        g = [jnp.asarray(x) for x in gradients([np.asarray(x) for x in w])]
        change, state = update(g, state, w)
        w = optax.apply_updates(w, change)
        yield (step, w) + ((evaluate(state, w),) if evaluate else ())


def with_lookahead(inner, k, alpha):
    rule = optax.lookahead(inner, k, alpha)
    w = optax.LookaheadParams.init_synced([jnp.asarray(s) for s in START])
    state = rule.init(w)
    for step in range(1, 101):
        g = [jnp.asarray(x) for x in gradients([np.asarray(x) for x in w.fast])]
        change, state = rule.update(g, state, w)
        w = optax.apply_updates(w, change)
        yield step, w.fast


def with_numpy(rule, lr, evaluate=None):
    """rule(name, w, g, state, lr, t) -> w, one state (a dict) a tensor."""
    w = [s.copy() for s in START]
    states = [{} for _ in w]
    for t in range(1, 101):
        g = gradients(w)
        rate = lr[t - 1] if isinstance(lr, list) else lr
        w = [rule(n, x, y, s, rate, t)
             for n, x, y, s in zip(NAMES, w, g, states)]
        if evaluate:
            yield t, w, [evaluate(x, s, t) for x, s in zip(w, states)]
        else:
            yield t, w


def adamw(eps=1e-8, corrected=True, eps_hat=False, decay=0.01):
    def rule(name, w, g, s, lr, t):
        m = s["m"] = 0.9 * s.get("m", 0 * g) + 0.1 * g
        v = s["v"] = 0.999 * s.get("v", 0 * g) + 0.001 * g * g
        c1, c2 = (1 - 0.9**t, 1 - 0.999**t) if corrected else (1, 1)
        if eps_hat:
            d = math.sqrt(c2) / c1 * m / (np.sqrt(v) + eps)
        else:
            d = (m / c1) / (np.sqrt(v / c2) + eps)
        return w - lr * d - lr * (0 if "bias" in name else decay) * w
    return rule


def adan(name, w, g, s, lr, t):
    b1, b2, b3, eps, decay = 0.98, 0.92, 0.99, 1e-8, 0.02
    e = g - s.get("g", g)
    s["g"] = g
    s["m"] = b1 * s.get("m", 0 * g) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0 * g) + (1 - b2) * e
    s["n"] = b3 * s.get("n", 0 * g) + (1 - b3) * (g + b2 * e) ** 2
    d = s["m"] / (1 - b1**t) + b2 * s["v"] / (1 - b2**t)
    d = d / (np.sqrt(s["n"] / (1 - b3**t)) + eps)
    return (w - lr * d) / (1 + lr * (0 if "bias" in name else decay))


def adafactor(name, w, g, s, lr, t):
    q, b2 = g * g + 1e-30, 1 - t**-0.8
    if g.ndim == 2:
        r = s["r"] = b2 * s.get("r", 0) + (1 - b2) * q.mean(1)
        c = s["c"] = b2 * s.get("c", 0) + (1 - b2) * q.mean(0)
        v = np.outer(r, c) / r.mean()
    else:
        v = s["v"] = b2 * s.get("v", 0) + (1 - b2) * q
    u = g / np.sqrt(v)
    u = u / max(1, np.sqrt(np.mean(u * u)))
    return w - lr * max(1e-3, np.sqrt(np.mean(w * w))) * u


def tiger(name, w, g, s, lr, t):
    s["m"] = 0.965 * s.get("m", 0 * g) + 0.035 * g
    if "bias" in name:
        return w - 0.5 * lr * np.sign(s["m"])
    keep = {"axis": -1, "keepdims": True} if "out" in name else {}
    rms = np.sqrt(np.mean(w * w, **keep))
    return w - lr * rms * (np.sign(s["m"]) + 0.01 * w)


def lars(name, w, g, s, lr, t):
    h = g
    if "bias" not in name:
        n, size = np.linalg.norm(w), np.linalg.norm(g)
        h = 0.02 * n / (size + 0.05 * n) * (g + 0.05 * w)
    s["b"] = 0.9 * s.get("b", 0 * g) + lr * h
    return w - s["b"]


def schedule_free(name, w, g, s, lr, t):
    """As in its authors' program: w is y, lr holds the warm-up."""
    b1, b2, decay = 0.9, 0.999, 0 if "bias" in name else 0.1
    s.setdefault("z", w.copy())
    s["v"] = b2 * s.get("v", 0 * g) + (1 - b2) * g * g
    d = g / (np.sqrt(s["v"] / (1 - b2**t)) + 1e-8) + decay * w
    s["max"] = max(s.get("max", 0), lr)
    weight = s["max"] ** 2
    s["sum"] = s.get("sum", 0) + weight
    c = weight / s["sum"]
    y = (1 - c) * w + c * s["z"] + lr * (b1 * (1 - c) - 1) * d
    s["z"] = s["z"] - lr * d
    return y


def schedule_free_x(w, s, t):
    return w + (s["z"] - w) * (1 - 1 / 0.9)


def ema(inner):
    def rule(name, w, g, s, lr, t):
        w = inner(name, w, g, s, lr, t)
        s["ema"] = 0.99 * s.get("ema", 0 * w) + 0.01 * w
        return w
    return rule


def torch_groups(w, decay):
    return [{"params": [w[0], w[2]], "weight_decay": decay},
            {"params": [w[1]], "weight_decay": 0.0}]


def muon_in_f64():
    """torch.optim.Muon, its products in f64 where it takes bf16."""
    from torch.optim import _muon
    text = inspect.getsource(_muon._zeropower_via_newtonschulz)
    assert text.count("torch.bfloat16") == 1
    exec(text.replace("torch.bfloat16", "torch.float64"), _muon.__dict__)


def runs():
    t = torch.optim
    yield ("sgd", {"weight_decay": 0}, 0.3, "torch.optim.SGD",
           with_torch(lambda w: [t.SGD(w, 0.3)]))
    yield ("sgd", {"momentum": 0.9, "weight_decay": 0.01}, 0.05,
           "torch.optim.SGD",
           with_torch(lambda w: [
               t.SGD(torch_groups(w, 0.01), 0.05, momentum=0.9)]))
    yield ("sgd", {"momentum": 0.9, "nesterov": True, "weight_decay": 0}, 0.05,
           "torch.optim.SGD",
           with_torch(lambda w: [
               t.SGD(w, 0.05, momentum=0.9, nesterov=True)]))
    yield ("adam", {"weight_decay": 0.1}, 0.01, "torch.optim.Adam",
           with_torch(lambda w: [t.Adam(torch_groups(w, 0.1), 0.01)]))
    yield ("adamw", {"weight_decay": 0.1}, 0.01, "torch.optim.AdamW",
           with_torch(lambda w: [t.AdamW(torch_groups(w, 0.1), 0.01)]))
    yield ("adamw", {"form": "google"}, 0.003, "numpy",
           with_numpy(adamw(1e-6, False), 0.003))
    yield ("adamw", {"form": "bert4keras"}, 0.01, "numpy",
           with_numpy(adamw(1e-6), 0.01))
    yield ("adamw", {"form": "keras"}, 0.01, "numpy",
           with_numpy(adamw(1e-7, eps_hat=True), 0.01))
    yield ("rmsprop", {"weight_decay": 0}, 0.003, "torch.optim.RMSprop",
           with_torch(lambda w: [t.RMSprop(w, 0.003)]))
    yield ("rmsprop",
           {"alpha": 0.9, "momentum": 0.5, "centered": True,
            "weight_decay": 0.01}, 0.002, "torch.optim.RMSprop",
           with_torch(lambda w: [
               t.RMSprop(torch_groups(w, 0.01), 0.002, alpha=0.9, momentum=0.5,
                         centered=True)]))
    yield ("adagrad", {"weight_decay": 0.01}, 0.1, "torch.optim.Adagrad",
           with_torch(lambda w: [t.Adagrad(torch_groups(w, 0.01), 0.1)]))
    yield ("adagrad", {"start": 0.1, "eps": 1e-7, "weight_decay": 0}, 0.1,
           "torch.optim.Adagrad",
           with_torch(lambda w: [
               t.Adagrad(w, 0.1, initial_accumulator_value=0.1, eps=1e-7)]))
    yield ("adafactor_v1", {"min_factor": 1, "weight_decay": 0.02}, 0.2,
           "torch.optim.Adafactor",
           with_torch(lambda w: [t.Adafactor(torch_groups(w, 0.02), 0.2)]))
    yield ("adafactor", {"min_factor": 1, "weight_decay": 0}, 0.005, "numpy",
           with_numpy(adafactor, 0.005))
    yield ("adafactor", {"min_factor": 1}, 0.005, F32_RATES,
           with_optax(optax.adafactor(0.005, min_dim_size_to_factor=1)))
    yield ("adafactor", {"min_factor": 7, "scale_parameter": False}, 0.002,
           F32_RATES,
           with_optax(optax.adafactor(0.002, min_dim_size_to_factor=7,
                                      multiply_by_parameter_scale=False)))
    yield ("lamb", {"weight_decay": 0.02, "no_decay": []}, 0.02, "optax.lamb",
           with_optax(optax.lamb(0.02, weight_decay=0.02)))
    yield ("lars", {"no_decay": [], "trust": 0.02}, 1.0, "optax.lars",
           with_optax(optax.lars(1.0, trust_coefficient=0.02, momentum=0.9)))
    yield ("lars", {"trust": 0.02, "weight_decay": 0.05}, 1.0, "numpy",
           with_numpy(lars, 1.0))
    yield ("lion", {"weight_decay": 0.1, "no_decay": []}, 0.003, "optax.lion",
           with_optax(optax.lion(0.003, b1=0.95, b2=0.98, weight_decay=0.1)))
    yield ("tiger", {"rows": ["out"]}, 0.01, "numpy", with_numpy(tiger, 0.01))
    yield ("adan", {"beta2": 0.5, "weight_decay": 0}, 0.01, "optax.adan",
           with_optax(optax.adan(0.01, b2=0.5, eps_root=0)))
    yield ("adan", {"weight_decay": 0.02}, 0.01, "numpy",
           with_numpy(adan, 0.01))
    muon_in_f64()
    for scale, adjust in (("original", "original"),
                          ("match_rms", "match_rms_adamw")):
        yield ("muon", {"scale": scale, "weight_decay": 0.1, "adamw_for": []},
               0.01, "torch.optim.Muon, in f64, and AdamW",
               with_torch(lambda w, adjust=adjust: [
                   t.Muon([w[0], w[2]], 0.01, adjust_lr_fn=adjust),
                   t.AdamW([w[1]], 0.01, weight_decay=0)]))
    # optax has the transposed weight, and another Nesterov form; its scale
    # agrees for the mean square, and its other rule takes the bias.
    yield ("muon", {"scale": "match_rms", "nesterov": False, "weight_decay": 0,
                    "eps": 1e-15, "adamw_for": []}, 0.01, "optax.contrib.muon",
           with_optax(optax.contrib.muon(0.01, nesterov=False, eps=1e-15,
                                         adam_eps_root=0,
                                         consistent_rms=0.2)))
    yield ("schedule_free_adamw", {"weight_decay": 0}, 0.02,
           "optax.contrib.schedule_free_adamw",
           with_optax(optax.contrib.schedule_free_adamw(0.02),
                      optax.contrib.schedule_free_eval_params))
    rising = [0.02 * min(1, (k + 1) / 20) for k in range(100)]
    yield ("schedule_free_adamw", {"weight_decay": 0.1}, rising, "numpy",
           with_numpy(schedule_free, rising, schedule_free_x))
    yield ("sgd", {"weight_decay": 0, "lookahead": 5}, 0.3, "optax.lookahead",
           with_lookahead(optax.sgd(0.3), 5, 0.5))
    yield ("adamw", {"lookahead": 3, "lookahead_rate": 0.8, "weight_decay": 0},
           0.02, "optax.lookahead", with_lookahead(optax.adam(0.02), 3, 0.8))
    yield ("adamw", {"ema": 0.99}, 0.01, "numpy",
           with_numpy(ema(adamw()), 0.01,
                      lambda w, s, t: s["ema"] / (1 - 0.99**t)))


def flat(tensors):
    return [float(x) for t in tensors for x in np.asarray(t).ravel()]


def main():
    for ours, theirs in zip(gradients(START),
                            jax.grad(loss)([jnp.asarray(s) for s in START])):
        assert np.allclose(ours, theirs, rtol=1e-12, atol=1e-15)
    out = []
    for rule, options, lr, source, steps in runs():
        run = {"rule": rule, "options": options, "lr": lr, "source": source,
               "tolerance": 1e-7 if source == F32_RATES else 1e-10,
               "after": {}, "evaluated": {}}
        for step, w, *evaluated in steps:
            if step in KEPT:
                run["after"][step] = flat(w)
                if evaluated:
                    run["evaluated"][step] = flat(evaluated[0])
        run["loss"] = float(loss([jnp.asarray(x) for x in w]))
        out.append(run)
    about = (f"torch {torch.__version__.split('+')[0]}, optax "
             f"{optax.__version__}, jax {jax.__version__}, numpy "
             f"{np.__version__}; made by make_optimizers.py")
    head = {"about": about, "names": NAMES, "x": X.tolist(), "y": Y.tolist(),
            "start": [s.tolist() for s in START],
            "start_loss": float(loss(START))}
    lines = ",\n".join(json.dumps(run) for run in out)
    print(f'{json.dumps(head)[:-1]},\n"runs": [\n{lines}]}}')


main()
