"""What each conformance case computes, in PyTorch's words."""
import torch
import torch.nn.functional as F

FUNCTIONS = {}


def unary(**functions):
    FUNCTIONS.update(functions)


def binary(**functions):
    for name, f in functions.items():
        FUNCTIONS[name] = f
        FUNCTIONS[name + "/broadcast"] = f


def case(name):
    def add(f):
        FUNCTIONS[name] = f
        return f
    return add


unary(negate=torch.neg, abs=torch.abs, sign=torch.sign, exp=torch.exp,
      expm1=torch.expm1, log=torch.log, log1p=torch.log1p,
      logistic=torch.sigmoid, tanh=torch.tanh, erf=torch.erf, sqrt=torch.sqrt,
      rsqrt=torch.rsqrt, sin=torch.sin, cos=torch.cos, floor=torch.floor,
      ceil=torch.ceil, is_finite=torch.isfinite,
      stop_gradient=lambda x: x.detach() + 0 * x, gelu=F.gelu,
      gelu_tanh=lambda x: F.gelu(x, approximate="tanh"), relu=F.relu)
binary(add=torch.add, subtract=torch.sub, multiply=torch.mul,
       divide=torch.div, remainder=torch.fmod, maximum=torch.maximum,
       minimum=torch.minimum, pow=torch.pow, atan2=torch.atan2,
       equal=torch.eq, less=torch.lt, greater_equal=torch.ge)
FUNCTIONS["select"] = torch.where

# ---- shape ----------------------------------------------------------------
FUNCTIONS.update({
    "reshape": lambda x: x.reshape(3, -1),
    "transpose/2d": lambda x: x.T,
    "transpose/4d": lambda x: x.permute(2, 0, 3, 1),
    "broadcast_to": lambda x: x.expand(2, 3, 4),
    "slice": lambda x: x[1:4, 2:6],
    "slice_axis": lambda x: x[:, 1:5],
    "pad": lambda x: F.pad(x, (0, 3, 1, 2), value=0.5),
    "reverse": lambda x: x.flip(0, 1),
    "concatenate": lambda *x: torch.cat(x, 1),
    "dynamic_slice": lambda x, i: x[i:i + 3, i:i + 2],
})


@case("dynamic_update_slice")
def dynamic_update_slice(x, update, i):
    y = x.clone()
    y[i:i + 2, i:i + 3] = update
    return y


# ---- reductions -----------------------------------------------------------
FORMS = {"all": ((0, 1, 2), False), "axis1": ((1,), False),
         "axes02_keep": ((0, 2), True)}
REDUCTIONS = {
    "sum": torch.sum, "mean": torch.mean, "max": torch.amax,
    "min": torch.amin,
    "variance": lambda x, dim, keepdim: torch.var(x, dim, correction=0,
                                                  keepdim=keepdim),
}
for _name, _f in REDUCTIONS.items():
    for _form, (_axes, _keep) in FORMS.items():
        FUNCTIONS[f"{_name}/{_form}"] = (
            lambda x, f=_f, a=_axes, k=_keep: f(x, dim=a, keepdim=k))
FUNCTIONS.update({
    "logsumexp": lambda x: torch.logsumexp(x, 1, keepdim=True),
    "norm": torch.linalg.vector_norm,
    "argmax": lambda x: x.argmax(1),
})

# ---- products -------------------------------------------------------------
for _spec in ("ij,jk->ik", "ij,kj->ik", "ji,jk->ik", "i,i->", "i,j->ij",
              "bij,bjk->bik", "btd,de->bte", "bthd,bshd->bhts",
              "bhts,bshd->bthd", "abc,cb->ac"):
    FUNCTIONS["einsum/" + _spec] = (
        lambda a, b, s=_spec: torch.einsum(s, a, b))
FUNCTIONS["einsum/bias"] = lambda x, w, b: F.linear(x, w.T, b)
FUNCTIONS["matmul"] = torch.matmul


@case("scan/linear_recurrence")
def linear_recurrence(decay, x):
    h = torch.zeros_like(x[0])
    ys = []
    for t in range(x.shape[0]):
        h = h * decay[t] + x[t]
        ys.append(torch.tanh(h))
    return h, torch.stack(ys)


# ---- indices --------------------------------------------------------------
FUNCTIONS["take"] = lambda table, ids: F.embedding(ids, table)
FUNCTIONS["one_hot"] = lambda ids: F.one_hot(ids.long(), 5).float()


@case("scatter_add")
def scatter_add(x, ids, updates):
    return x.index_add(0, ids.flatten(), updates.flatten(0, 1))


# ---- layers ---------------------------------------------------------------
FUNCTIONS.update({
    "softmax/last": lambda x: F.softmax(x, -1),
    "softmax/axis0": lambda x: F.softmax(x, 0),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "layer_norm": lambda x, g, b: F.layer_norm(x, g.shape, g, b, 1e-5),
})


def attention(q, k, v, mask, scale):
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    mask = None if mask is None else mask[:, None, None, :]
    o = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
    return o.transpose(1, 2)


FUNCTIONS["attention"] = lambda q, k, v: attention(q, k, v, None, 0.25)
FUNCTIONS["attention/masked"] = lambda q, k, v, m: attention(q, k, v, m, 0.5)
