"""Update rules of torch.optim, under the options of benchmarks/works."""
import torch

RATE = 1e-3


def muon(weights, biases):
    # Its products are bf16, whatever is asked for.
    return [torch.optim.Muon(weights, RATE, weight_decay=0.1,
                             adjust_lr_fn="original"),
            torch.optim.AdamW(biases, RATE, weight_decay=0.1, fused=True)]


def of_all(make):
    return lambda weights, biases: [make(weights + biases)]


t = torch.optim
RULES = {
    "sgd": of_all(lambda w: t.SGD(w, RATE, momentum=0.9, fused=True)),
    "adam": of_all(lambda w: t.Adam(w, RATE, fused=True)),
    "adamw": of_all(lambda w: t.AdamW(w, RATE, weight_decay=0.1, fused=True)),
    "rmsprop": of_all(lambda w: t.RMSprop(w, RATE)),
    "adagrad": of_all(lambda w: t.Adagrad(w, RATE, fused=True)),
    "adafactor_v1": of_all(lambda w: t.Adafactor(w, RATE, weight_decay=0.02)),
    "muon": muon,
}


def step_of(rule, weight, bias, g_weight, g_bias):
    """A function that updates the layers of stacked tensors, one by one."""
    def layers(x):
        return [part.clone().requires_grad_() for part in x]
    weights, biases = layers(weight), layers(bias)
    gradients = list(g_weight) + list(g_bias)
    rules = RULES[rule](weights, biases)

    def step():
        for w, g in zip(weights + biases, gradients):
            w.grad = g
        for r in rules:
            r.step()
        return weights[0][0, 0].item()
    return step
