#!/usr/bin/env python3
"""Every conformance case again in PyTorch, and a page with the differences.

  compare_torch.py CASES.safetensors [--page docs/conformance.md]

For each case: outputs from the same inputs, and the gradients of the sum of
<weight, output>. The difference of two arrays is the largest difference of
their elements over the largest magnitude (at least 1e-3). Ends with status 1
if a case has no function here, misses a tensor, or leaves its tolerance.
"""
import argparse
import sys

import numpy as np
import torch
from safetensors import safe_open

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from functions_torch import FUNCTIONS  # noqa: E402

# Of f32 against f32: both sides round, sums in another order.
TOLERANCE = {"f32": 2e-5, "f64": 1e-11}
# Iterative or ill-conditioned in f32 on both sides.
LOOSE = {}


def read(path):
    """{case: {dtype: {"in": [...], "out": ..., "weight": ..., "grad": ...}}}"""
    cases = {}
    with safe_open(path, "pt") as file:
        for name in file.keys():
            case, dtype, part = name.split("|")
            kind = part.rstrip("0123456789")
            slot = cases.setdefault(case, {}).setdefault(dtype, {})
            slot.setdefault(kind, {})[int(part[len(kind):])] = (
                file.get_tensor(name))
        count = int(file.metadata()["cases"])
    if count != len(cases):
        raise SystemExit(f"the file says {count} cases and holds {len(cases)}")
    for by_dtype in cases.values():
        for slot in by_dtype.values():
            for kind, parts in slot.items():
                slot[kind] = [parts[i] for i in range(len(parts))]
    return cases


def difference(got, want):
    if tuple(got.shape) != tuple(want.shape):
        return float("inf")
    g = got.detach().resolve_neg().to(torch.float64).numpy()
    w = want.detach().resolve_neg().to(torch.float64).numpy()
    if w.size == 0:
        return 0.0
    both = np.isnan(g) & np.isnan(w) | (g == w)
    with np.errstate(invalid="ignore"):
        d = np.where(both, 0.0, np.abs(g - w))
    d = np.where(np.isnan(d), np.inf, d)
    finite = np.abs(w[np.isfinite(w)])
    return float(d.max() / max(1e-3, finite.max() if finite.size else 0.0))


def check(case, slot):
    """The largest difference of values and of gradients."""
    inputs = [t.clone().requires_grad_(t.is_floating_point()) for t in
              slot["in"]]
    outs = FUNCTIONS[case](*inputs)
    if not isinstance(outs, (tuple, list)):
        outs = [outs]
    if len(outs) != len(slot["out"]):
        raise SystemExit(f"{case}: {len(slot['out'])} outputs, PyTorch gives "
                         f"{len(outs)}")
    value = max(difference(a, b) for a, b in zip(slot["out"], outs))
    if "grad" not in slot:
        return value, None
    floats = [y for y in outs if y.is_floating_point()]
    loss = sum((w * y).sum() for w, y in zip(slot["weight"], floats))
    wanted = [x for x in inputs if x.requires_grad]
    grads = torch.autograd.grad(loss, wanted, allow_unused=True)
    grads = [torch.zeros_like(x) if g is None else g
             for g, x in zip(grads, wanted)]
    return value, max(difference(a, b) for a, b in zip(slot["grad"], grads))


def text(d):
    return "-" if d is None else "0" if d == 0 else f"{d:.1e}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases")
    parser.add_argument("--page")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cases = read(args.cases)
    unknown = sorted(set(cases) - set(FUNCTIONS))
    unused = sorted(set(FUNCTIONS) - set(cases))
    if unknown or unused:
        raise SystemExit(f"no function for {unknown}; no case for {unused}")
    rows, failed, compared, gradients = [], [], 0, 0
    for case in sorted(cases):
        cells = []
        for dtype in ("f32", "f64"):
            value, grad = check(case, cases[case][dtype])
            limit = LOOSE.get(case, {}).get(dtype, TOLERANCE[dtype])
            compared += 1
            gradients += grad is not None
            if value > limit or (grad or 0) > limit:
                failed.append(f"{case} in {dtype}: value {text(value)}, "
                              f"gradient {text(grad)}, limit {limit}")
            cells += [text(value), text(grad)]
        rows.append(f"| `{case}` | {' | '.join(cells)} |")
    summary = (f"{len(cases)} cases in f32 and f64: {compared} values and "
               f"{gradients} gradients compared, {len(failed)} failures.")
    for line in failed:
        print("FAILED", line)
    print(summary)
    if args.page:
        with open(args.page, "w", encoding="ascii") as page:
            page.write(PAGE.format(torch=torch.__version__, summary=summary,
                                   f32=TOLERANCE["f32"], f64=TOLERANCE["f64"],
                                   rows="\n".join(rows)))
    return 1 if failed else 0


PAGE = """# Conformance with PyTorch

Written by `./dev conformance`. Each case runs as a program compiled by the
plugin, kernels included, and again in PyTorch {torch} on the CPU, from the
same inputs. A figure is the largest difference over the largest magnitude.
Limits: {f32} in f32, {f64} in f64.

{summary}

| case | f32 value | f32 gradient | f64 value | f64 gradient |
| --- | --- | --- | --- | --- |
{rows}
"""


if __name__ == "__main__":
    sys.exit(main())
