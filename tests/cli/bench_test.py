#!/usr/bin/env python3
"""bench_test.py PROGRAM PROJECT: `kexue bench` and `kexue profile`."""
import json
import math
import struct
import sys
import unittest

from program import Base, needs_plugin

# Every work, small; for training works, how far the first loss may be from
# what parameters that know nothing must give.
SMALL = {
    "bert-train": "L=1,H=64,B=2,T=16,V=50,M=2",
    "bert-embed": "L=1,H=64,B=2,T=16,V=50",
    "bert-embed-mixed": "L=1,H=64,N=9,T=40,V=50",
    "gpt-train": "L=1,H=64,B=2,T=16,V=50",
    "unet-train": "C=8,B=2",
    "mlp-wgan-gp": "H=8,B=4",
    "lru-scan": "B=2,T=8,D=4,N=3",
    "deep-scan": "L=3,H=64,B=2,T=16",
    "cosent": "N=12,G=3",
    "knn": "Q=4,N=20,D=8,K=3,B=2",
    "adamw": "N=1000",
}
SMALL |= {f"update-{rule}": "L=2,H=8" for rule in (
    "adafactor", "adafactor_v1", "adagrad", "adam", "adamw", "adan", "lamb",
    "lars", "lion", "muon", "rmsprop", "schedule_free_adamw", "sgd", "tiger")}
FIELDS = {"work", "sizes", "dtype", "steps", "warm_s", "from_cache",
          "compile_s", "wall_min_s", "wall_med_s", "cpu_min_s", "flops",
          "gflops", "peak_rss_mb", "loss0", "loss"}


def read_safetensors(path):
    """name -> (shape, flat list)."""
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = file.read()
    kinds = {"F32": "f", "I32": "i"}
    return {n: (e["shape"], list(struct.unpack(
        f"<{(e['data_offsets'][1] - e['data_offsets'][0]) // 4}"
        f"{kinds[e['dtype']]}", data[slice(*e["data_offsets"])])))
        for n, e in header.items() if n != "__metadata__"}


@needs_plugin
class Bench(Base):
    def bench(self, work, *more):
        return self.rows("bench", work, "--sizes", SMALL[work], "--steps", "2",
                         "--json", *more)[0]

    def start_of(self, work):
        path = f"{self.at}/{work}.safetensors"
        row = self.bench(work, "--save", path)
        return row, read_safetensors(path)

    def test_the_list_has_every_work(self):
        rows = self.rows("bench", "--json")[0]
        self.assertEqual([r["name"] for r in rows], list(SMALL))
        text = self.works("bench")
        self.assertIn("L=4", text)

    def test_every_work_reports_all_fields(self):
        for work in SMALL:
            with self.subTest(work):
                row = self.bench(work)
                self.assertEqual(set(row), FIELDS)
                self.assertGreater(row["cpu_min_s"], 0)
                self.assertGreaterEqual(row["wall_med_s"], row["wall_min_s"])
                self.assertGreater(row["peak_rss_mb"], 10)
                self.assertTrue(math.isfinite(row["loss0"]))
                trains = work != "knn" and "embed" not in work
                self.assertEqual(row["loss"] != row["loss0"], trains)

    def test_a_model_that_knows_nothing_pays_the_entropy(self):
        for work in ("bert-train", "gpt-train"):
            self.assertAlmostEqual(self.bench(work)["loss0"], math.log(50),
                                   delta=0.1)

    def test_bf16_is_near_f32(self):
        for work in ("gpt-train", "unet-train", "mlp-wgan-gp"):
            exact = self.bench(work)["loss0"]
            low = self.bench(work, "--dtype", "bf16")["loss0"]
            self.assertNotEqual(low, exact)
            self.assertAlmostEqual(low / exact, 1, delta=0.02)

    def test_cosent_is_the_sum_over_all_pairs(self):
        row, start = self.start_of("cosent")
        cosine, label = start["cosine"][1], start["label"][1]
        total = 1 + sum(math.exp(20 * (cosine[j] - cosine[i]))
                        for i in range(12) for j in range(12)
                        if label[i] > label[j])
        self.assertAlmostEqual(row["loss0"] / math.log(total), 1, delta=1e-5)

    def test_knn_finds_the_largest_products(self):
        row, start = self.start_of("knn")
        rows, queries = start["rows"][1], start["queries"][1]
        found = []
        for q in range(4):
            scores = sorted((sum(queries[8 * q + k] * rows[8 * n + k]
                                 for k in range(8)) for n in range(20)),
                            reverse=True)
            found += scores[:3]
        self.assertAlmostEqual(row["loss0"], sum(found) / 12, delta=1e-5)

    def test_adamw_is_the_formula(self):
        # w = g = 1: each step takes lr (g / (|g| + eps) + decay w).
        w = 1.0
        for _ in range(4):  # the first, one to warm up, two measured
            w -= 1e-4 * (1 / (1 + 1e-8) + 0.01 * w)
        self.assertAlmostEqual(self.bench("adamw")["loss"], w, delta=1e-6)

    def test_lru_is_the_recurrence(self):
        row, start = self.start_of("lru-scan")
        v = {n: t[1] for n, t in start.items()}
        t_len, b_len, d_len, n_len = 8, 2, 4, 3
        total = 0.0
        for b in range(b_len):
            state = [0j] * n_len
            for t in range(t_len):
                at = (t * b_len + b) * d_len
                u = v["u"][at:at + d_len]
                for n in range(n_len):
                    radius = math.exp(-math.exp(v["nu"][n]))
                    turn = complex(radius * math.cos(v["theta"][n]),
                                   radius * math.sin(v["theta"][n]))
                    into = sum(complex(v["b_re"][n * d_len + k],
                                       v["b_im"][n * d_len + k]) * u[k]
                               for k in range(d_len))
                    state[n] = turn * state[n] + into
                for k in range(d_len):
                    y = sum((complex(v["c_re"][k * n_len + n],
                                     v["c_im"][k * n_len + n]) *
                             state[n]).real for n in range(n_len))
                    total += y * y
        want = total / (t_len * b_len * d_len)
        self.assertAlmostEqual(row["loss0"] / want, 1, delta=1e-4)

    def test_start_values_can_be_saved_and_given(self):
        row, start = self.start_of("mlp-wgan-gp")
        names = [r["name"] for r in self.rows(
            "bench", "mlp-wgan-gp", "--sizes", SMALL["mlp-wgan-gp"],
            "--describe", "--json")[0]]
        self.assertEqual(sorted(names), sorted(start))
        path = f"{self.at}/mlp-wgan-gp.safetensors"
        again = self.bench("mlp-wgan-gp", "--load", path)
        self.assertEqual(again["loss0"], row["loss0"])
        self.assertEqual(again["loss"], row["loss"])

    def test_served_steps_go_on_where_the_last_ended(self):
        row = self.bench("adamw")
        lines = self.rows("bench", "adamw", "--sizes", SMALL["adamw"],
                          "--serve", text="1\n3\n")
        self.assertEqual(lines[0], {"ready": True, "flops": 0})
        self.assertEqual(lines[1]["loss"], row["loss0"])
        self.assertEqual(lines[2]["loss"], row["loss"])

    def test_a_second_start_takes_the_program_from_the_cache(self):
        self.bench("deep-scan")
        self.assertTrue(self.bench("deep-scan")["from_cache"])
        self.assertFalse(self.bench("deep-scan", "--no-cache")["from_cache"])

    def test_wrong_use_is_named(self):
        self.fails(2, ['no work "bert"', "bert-train, bert-embed"],
                   "bench", "bert")
        self.fails(2, ['"H=0" of knn is not NAME=NUMBER', "the sizes are"],
                   "bench", "knn", "--sizes", "H=0")
        self.start_of("adamw")
        self.fails(2, ["is f32[1000], wanted f32[999]"], "bench", "adamw",
                   "--sizes", "N=999", "--load",
                   f"{self.at}/adamw.safetensors")
        self.fails(2, ["not a number of steps: x"], "bench", "adamw",
                   "--sizes", "N=9", "--serve", text="x\n")


@needs_plugin
class Profile(Base):
    def test_shares_of_scopes_and_ops_make_up_the_step(self):
        page = f"{self.at}/profile.html"
        row = self.rows("profile", "bert-train", "--sizes",
                        SMALL["bert-train"], "--repeats", "1", "--page", page,
                        "--json")[0]
        for table, key in (("by_scope", "scope"), ("by_op", "op")):
            rows = row[table]
            self.assertAlmostEqual(sum(r["share"] for r in rows), 1, delta=1e-6)
            self.assertAlmostEqual(sum(r["ms"] for r in rows), row["ms"],
                                   delta=1e-6 * row["ms"])
            self.assertAlmostEqual(sum(r["gflop"] for r in rows), row["gflop"],
                                   delta=1e-6 * row["gflop"])
        scopes = {r["scope"] for r in row["by_scope"]}
        for part in ("encoder/attention", "encoder/ffn", "optimizer",
                     "embeddings"):
            self.assertIn(part, scopes)
        with open(page, encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.startswith("<!doctype html>"))
        self.assertIn("encoder/attention", text)
        self.assertNotIn("http://", text)
        self.assertNotIn("https://", text)

    def test_the_flops_are_those_of_the_products(self):
        # Two blocks of 2 queries against 20 rows of 8.
        row = self.rows("profile", "knn", "--sizes", SMALL["knn"],
                        "--repeats", "1", "--json")[0]
        self.assertAlmostEqual(row["gflop"] * 1e9, 2 * 4 * 20 * 8, delta=1)

    def profile_of(self, model, data, *train):
        text = ["[model]", *model, "[data]", *data, "max_length = 16",
                "[train]", "batch_size = 4", *train]
        path = self.write("profile.toml", "\n".join(text).encode())
        return self.rows("profile", path, "--repeats", "1", "--json")[0]

    def test_a_config_of_each_task_can_be_profiled(self):
        bert = [f'model = "{self.at}/bert"']
        rows = self.write("rows.jsonl", b"".join(
            b'{"stars": %d.5, "body": "good film %d"}\n' % (i % 5, i)
            for i in range(16)))
        fields = [f'train_file = "{rows}"', 'label_field = "stars"',
                  'text_field = "body"']
        tsv = [f'train_file = "{self.at}/train.tsv"']
        classify = self.profile_of(bert, tsv, "accumulate = 2",
                                   'precision = "f32"')
        self.assertEqual(classify["dtype"], "f32")
        regress = self.profile_of(bert, fields, 'task = "regress"')
        self.assertEqual(regress["dtype"], "bf16")
        masked = self.profile_of(
            ["layers = 1", "hidden = 16", "heads = 2"], tsv,
            'task = "masked_lm"')
        for row in (classify, regress, masked):
            self.assertIn("optimizer", {r["scope"] for r in row["by_scope"]})
        self.assertIn("predictions", {r["scope"] for r in masked["by_scope"]})

    def test_wrong_use_is_named(self):
        self.fails(2, ['no work "nothing"'], "profile", "nothing")
        self.fails(2, ["--sizes belongs to a work"], "profile", "x.toml",
                   "--sizes", "L=1")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
