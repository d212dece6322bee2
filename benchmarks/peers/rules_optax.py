"""Update rules of optax, under the options of benchmarks/works."""
import jax
import jax.numpy as jnp
import optax
import optax.contrib

RATE = 1e-3
RULES = {
    "sgd": lambda: optax.sgd(RATE, momentum=0.9),
    "adam": lambda: optax.adam(RATE),
    "adamw": lambda: optax.adamw(RATE, weight_decay=0.1),
    "adagrad": lambda: optax.adagrad(RATE, initial_accumulator_value=0.0,
                                     eps=1e-20),
    "adafactor": lambda: optax.adafactor(RATE, min_dim_size_to_factor=1),
    "lamb": lambda: optax.lamb(RATE, weight_decay=0.1),
    "lars": lambda: optax.lars(RATE, trust_coefficient=0.02, momentum=0.9),
    "lion": lambda: optax.lion(RATE, b1=0.95, b2=0.98, weight_decay=0.1),
    "adan": lambda: optax.adan(RATE, b2=0.5, eps_root=0),
    "muon": lambda: optax.contrib.muon(RATE, weight_decay=0.1),
    "schedule_free_adamw":
        lambda: optax.contrib.schedule_free_adamw(RATE, weight_decay=0),
}


def step_of(rule, weight, bias, g_weight, g_bias):
    """A function that updates the layers of stacked tensors, one by one."""
    def layers(weight, bias):
        return [{"weight": w, "bias": b} for w, b in zip(weight, bias)]
    gradients = layers(g_weight, g_bias)
    transform = RULES[rule]()

    def advance(params, state, g):
        change, state = transform.update(g, state, params)
        params = optax.apply_updates(params, change)
        return params, state, params[0]["weight"][0, 0]

    f = jax.jit(advance, donate_argnums=(0, 1))
    params = jax.tree.map(jnp.copy, layers(weight, bias))
    box = [params, jax.tree.map(jnp.copy, transform.init(params))]

    def step():
        box[0], box[1], value = f(box[0], box[1], gradients)
        jax.block_until_ready(box)
        return value
    return step
