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


def softplus(x):  # F.softplus turns linear above a threshold
    return torch.logaddexp(x, torch.zeros_like(x))


unary(negate=torch.neg, abs=torch.abs, sign=torch.sign, exp=torch.exp,
      expm1=torch.expm1, log=torch.log, log1p=torch.log1p,
      logistic=torch.sigmoid, tanh=torch.tanh, erf=torch.erf, sqrt=torch.sqrt,
      rsqrt=torch.rsqrt, sin=torch.sin, cos=torch.cos, floor=torch.floor,
      ceil=torch.ceil, is_finite=torch.isfinite,
      stop_gradient=lambda x: x.detach() + 0 * x, gelu=F.gelu,
      square=torch.square, reciprocal=torch.reciprocal, softplus=softplus,
      log_sigmoid=F.logsigmoid, sinh=torch.sinh, cosh=torch.cosh,
      asinh=torch.asinh, acosh=torch.acosh, atanh=torch.atanh,
      erfc=torch.erfc, erf_inv=torch.erfinv, tan=torch.tan, asin=torch.asin,
      acos=torch.acos, atan=torch.atan, round=torch.round, trunc=torch.trunc,
      clamp=lambda x: torch.clamp(x, -1.0, 1.5),
      gelu_tanh=lambda x: F.gelu(x, approximate="tanh"), relu=F.relu)
binary(logaddexp=torch.logaddexp, add=torch.add, subtract=torch.sub, multiply=torch.mul,
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


def prod(x, dims, keepdim):
    for d in sorted(dims, reverse=True):
        x = x.prod(d, keepdim=keepdim)
    return x


REDUCTIONS = {
    "sum": torch.sum, "mean": torch.mean, "max": torch.amax,
    "min": torch.amin,
    "logsumexp": torch.logsumexp,
    "norm": torch.linalg.vector_norm,
    "prod": lambda x, dim, keepdim: prod(x, dim, keepdim),
    "std_dev": lambda x, dim, keepdim: torch.std(x, dim, correction=0,
                                                 keepdim=keepdim),
    "variance": lambda x, dim, keepdim: torch.var(x, dim, correction=0,
                                                  keepdim=keepdim),
}
for _name, _f in REDUCTIONS.items():
    for _form, (_axes, _keep) in FORMS.items():
        FUNCTIONS[f"{_name}/{_form}"] = (
            lambda x, f=_f, a=_axes, k=_keep: f(x, dim=a, keepdim=k))
FUNCTIONS.update({
    "argmax": lambda x: x.argmax(1),
    "argmin": lambda x: x.argmin(0),
})
RUNNING = {"cumsum": torch.cumsum, "cumprod": torch.cumprod,
           "cummax": lambda x, d: torch.cummax(x, d).values,
           "cummin": lambda x, d: torch.cummin(x, d).values,
           "cumlogsumexp": torch.logcumsumexp}
for _name, _f in RUNNING.items():
    FUNCTIONS[_name + "/axis1"] = lambda x, f=_f: f(x, 1)
    FUNCTIONS[_name + "/reverse"] = lambda x, f=_f: f(x.flip(0), 0).flip(0)

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


FUNCTIONS["cond"] = lambda x: x * x if x.sum() > 0 else torch.exp(x)
FUNCTIONS["map"] = lambda x: x @ x
FUNCTIONS["remat"] = lambda x, w: torch.tanh(x @ w)


@case("fori/newton")
def newton(x):
    y = torch.ones_like(x)
    for _ in range(6):
        y = 0.5 * (y + x / y)
    return y


@case("associative_scan")
def associative(decay, x):
    ys = [x[0]]
    for t in range(1, x.shape[0]):
        ys.append(decay[t] * ys[-1] + x[t])
    return torch.stack(ys)


# ---- indices --------------------------------------------------------------
FUNCTIONS["take"] = lambda table, ids: F.embedding(ids, table)
FUNCTIONS.update({
    "take_along_axis": lambda x, i: x.gather(1, i.long().clamp(max=3)),
    "put_along_axis/add": lambda x, i, u: x.scatter_add(0, i.long(), u),
    "take/axis1": lambda x, i: x[:, i.long()],
    "masked_fill": lambda x, m: x.masked_fill(m, -2.5),
    "sort": lambda x: x.sort(-1).values,
    "sort/descending0": lambda x: x.sort(0, descending=True).values,
    "argsort": lambda x: x.argsort(-1),
    "top_k": lambda x: tuple(x.topk(3)),
})
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
    "group_norm": lambda x, g, b: group_norm(x, g, b),
    "group_norm/silu": lambda x, g, b: F.silu(group_norm(x, g, b)),
    "softmax_cross_entropy": lambda x, label: F.cross_entropy(
        x, label.long(), ignore_index=-1, reduction="none"),
    "column_sum": lambda x: x.sum((0, 1)),
})


def group_norm(x, gamma, beta):
    return F.group_norm(x.movedim(-1, 1), 3, gamma, beta, 1e-5).movedim(1, -1)


def attention(q, k, v, mask, scale, causal=False):
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    mask = None if mask is None else mask[:, None, None, :]
    o = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, scale=scale, is_causal=causal)
    return o.transpose(1, 2)


FUNCTIONS["attention"] = lambda q, k, v: attention(q, k, v, None, 0.25)
FUNCTIONS["attention/causal"] = lambda q, k, v: attention(
    q, k, v, None, 0.25, True)
FUNCTIONS["attention/masked"] = lambda q, k, v, m: attention(q, k, v, m, 0.5)


# ---- images: ours have channels last ---------------------------------------
def conv(x, w, **options):
    n = x.dim() - 2
    f = (F.conv1d, F.conv2d, F.conv3d)[n - 1]
    y = f(x.movedim(-1, 1), w.movedim((-1, -2), (0, 1)), **options)
    return y.movedim(1, -1)


def pool(f, x, *args, **options):
    return f(x.movedim(-1, 1), *args, **options).movedim(1, -1)


FUNCTIONS.update({
    "conv/1d": conv,
    "conv/2d": lambda x, w: conv(x, w, padding=1),
    "conv/2d_strides": lambda x, w: conv(x, w, stride=(2, 3)),
    "conv/2d_dilated": lambda x, w: conv(x, w, padding=(2, 1),
                                         dilation=(2, 3)),
    "conv/2d_groups": lambda x, w: conv(x, w, groups=2),
    "conv/2d_channels_first": F.conv2d,
    "conv/3d": conv,
    "conv/depthwise": lambda x, w: conv(
        x, w.flatten(-2)[..., None, :], groups=3),
    "conv/transpose": lambda x, w: F.conv_transpose2d(
        x.movedim(-1, 1), w.permute(2, 3, 0, 1), stride=2,
        padding=1).movedim(1, -1),
    "max_pool": lambda x: pool(F.max_pool2d, x, 2),
    "max_pool/padded": lambda x: pool(F.max_pool2d, x, 3, 2, 1),
    "average_pool": lambda x: pool(F.avg_pool2d, x, (3, 2)),
    "average_pool/excluded": lambda x: pool(
        F.avg_pool2d, x, 3, 2, 1, count_include_pad=False),
    "average_pool/included": lambda x: pool(F.avg_pool2d, x, 3, 2, 1),
    "global_average_pool": lambda x: x.mean((1, 2)),
    "upsample_nearest": lambda x: x.repeat_interleave(2, 1).repeat_interleave(
        3, 2),
})


# ---- matrices ---------------------------------------------------------------
def positive(x):
    return x @ x.mT + 2 * torch.eye(x.shape[-1], dtype=x.dtype)


def shifted(x):
    return x + 3 * torch.eye(x.shape[-1], dtype=x.dtype)


def qr(x):
    q, r = torch.linalg.qr(x)
    sign = torch.sign(torch.diagonal(r, dim1=-2, dim2=-1))
    return q * sign[..., None, :], r * sign[..., :, None]


def svd_squares(x):
    u, _, vh = torch.linalg.svd(x, full_matrices=False)
    return u * u, vh * vh


FUNCTIONS.update({
    "cholesky": lambda x: torch.linalg.cholesky(positive(x)),
    "eigh/values": lambda x: torch.linalg.eigvalsh(positive(x)),
    "eigh/squares": lambda x: torch.linalg.eigh(positive(x)).eigenvectors ** 2,
    "svd/values": torch.linalg.svdvals,
    "svd/squares": svd_squares,
    "qr": qr,
    "inverse": lambda x: torch.linalg.inv(shifted(x)),
    "det": torch.linalg.det,
    "slogdet": lambda x: torch.linalg.slogdet(x).logabsdet,
    "pinv": torch.linalg.pinv,
    "tril": lambda x: x.tril(1),
    "triu": lambda x: x.triu(-1),
    "diagonal": lambda x: x.diagonal(dim1=-2, dim2=-1),
    "diag": torch.diag_embed,
    "trace": lambda x: x.diagonal(dim1=-2, dim2=-1).sum(-1),
    "matrix_power": lambda x: torch.linalg.matrix_power(x, 5),
    "kron": torch.kron,
    "solve": lambda a, b: torch.linalg.solve(shifted(a), b),
    "lstsq": lambda a, b: torch.linalg.pinv(a) @ b,
    "triangular_solve/lower": lambda a, b: torch.linalg.solve_triangular(
        shifted(a).tril(), b, upper=False),
    "triangular_solve/upper": lambda a, b: torch.linalg.solve_triangular(
        shifted(a).triu(), b, upper=True),
})


# ---- complex numbers, as pairs ----------------------------------------------
def pair(z):
    return z.real, z.imag


def on_complex(f):
    return lambda re, im: pair(f(torch.complex(re, im)))


FUNCTIONS.update({
    "complex/exp": on_complex(torch.exp),
    "complex/log": on_complex(torch.log),
    "complex/sqrt": on_complex(torch.sqrt),
    "complex/tanh": on_complex(torch.tanh),
    "complex/conj": on_complex(torch.conj),
    "complex/square_over": on_complex(lambda z: z * z / (z + 1)),
    "complex/abs_angle": lambda re, im: (
        torch.complex(re, im).abs(), torch.complex(re, im).angle()),
    "complex/matmul": lambda a, b, c, d: pair(
        torch.complex(a, b) @ torch.complex(c, d)),
    "fft": on_complex(torch.fft.fft),
    "ifft/12": on_complex(lambda z: torch.fft.ifft(z, 12)),
    "fft/2d": on_complex(torch.fft.fft2),
    "rfft": lambda x: pair(torch.fft.rfft(x)),
    "irfft": lambda re, im: torch.fft.irfft(torch.complex(re, im)),
})
