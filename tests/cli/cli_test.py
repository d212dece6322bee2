#!/usr/bin/env python3
"""cli_test.py PROGRAM PROJECT: what the program promises to a shell."""
import json
import os
import pty
import resource
import signal
import subprocess
import sys
import unittest

import tiny_model
from program import CACHE, PLUGIN, PROGRAM, PROJECT, Base, needs_plugin

COMMANDS = ["train", "eval", "predict", "tokenize", "embed", "rerank",
            "doctor", "demo", "report"]


class Arguments(Base):
    def test_every_command_has_help_with_an_example(self):
        for command in COMMANDS:
            text = self.works(command, "--help")
            self.assertIn("Example:\n  ", text)
            self.assertIn("--json", text)
            self.assertIn(command, self.works("--help"))

    def test_hidden_command_is_not_listed(self):
        self.assertNotIn("first-step", self.works("--help"))

    def test_version(self):
        self.assertRegex(self.works("--version"), r"^kexue \d+\.\d+\.\d+\n$")

    def test_unknown_command_names_the_nearest(self):
        self.fails(2, ['unknown command "trian"', '"train"'], "trian")

    def test_wrong_use_is_2_and_points_to_help(self):
        self.fails(2, ["--help"])
        self.fails(2, ["config is required", "kexue train --help"], "train")
        self.fails(2, ["--model is required"], "embed")
        self.fails(2, ["--nonsense"], "doctor", "--nonsense")
        self.fails(2, ["f64", "bf16"], "embed", "--model", "bert", "--dtype",
                   "f64")

    def test_json_errors_are_a_document_on_stdout(self):
        done = self.fails(2, ["nowhere"], "predict", "--model", "nowhere",
                          "--json")
        error = json.loads(done.stdout)["error"]
        self.assertEqual(error["code"], "not_found")
        self.assertEqual(error["exit_status"], 2)
        self.assertIn("nowhere", error["text"])


class Lines(Base):
    def test_ids_and_tokens_with_and_without_special_ones(self):
        row, = self.rows("tokenize", "--model", "bert", text="Good BOOKs\n")
        self.assertEqual(row, {
            "text": "Good BOOKs", "ids": [2, 5, 7, 11, 3],
            "tokens": ["[CLS]", "good", "book", "##s", "[SEP]"]})
        row, = self.rows("tokenize", "--vocab", "bert/vocab.txt",
                         "--no-special", text="good")
        self.assertEqual(row["ids"], [5])

    def test_golden_ids(self):
        vocabulary = f"{CACHE}/data/vocab/bert_base_chinese_vocab.txt"
        if not os.path.exists(vocabulary):
            self.skipTest("no vocabulary: ./dev fetch vocab gets it")
        with open(f"{PROJECT}/tests/golden/tokenizers.json",
                  encoding="utf-8") as file:
            items = [item for item in json.load(file)["items"]
                     if item["vocabulary"] == "bert_base_chinese"
                     and "\n" not in item["text"]]
        self.assertGreater(len(items), 3)
        text = "\n".join(item["text"] for item in items)
        rows = self.rows("tokenize", "--vocab", vocabulary, "--no-special",
                         text=text)
        self.assertEqual([row["ids"] for row in rows],
                         [item["ids"] for item in items])
        rows = self.rows("tokenize", "--vocab", vocabulary, text=text)
        self.assertEqual([row["ids"] for row in rows],
                         [[101, *item["ids"], 102] for item in items])

    def test_mark_and_line_ends_are_no_text(self):
        rows = self.rows("tokenize", "--model", "bert",
                         text=b"\xef\xbb\xbfgood\r\nbad")
        self.assertEqual([row["text"] for row in rows], ["good", "bad"])

    def test_bad_lines_name_file_and_line(self):
        cases = {"empty text": b"good\n\nbad\n",
                 "empty text ": b"good\n \t\xe3\x80\x80\n",
                 "not UTF-8 (byte 3 of the line)": b"good\nab\xff\n",
                 "NUL": b"good\na\0b\n"}
        for what, content in cases.items():
            path = self.write("bad.txt", content)
            done = self.fails(3, [f"{path}:2: ", what.strip(), "--skip-bad"],
                              "tokenize", "--model", "bert", "--input", path)
            self.assertEqual(done.stdout.count(b"\n"), 1)  # the good line

    def test_skipped_lines_are_counted(self):
        done = self.run_program("tokenize", "--model", "bert", "--skip-bad",
                                text=b"good\n\n\xff\nbad\n")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.count(b"\n"), 2)
        self.assertIn(b"2 bad lines skipped", done.stderr)

    def test_missing_files(self):
        self.fails(2, ["nothing.txt"], "tokenize", "--model", "bert",
                   "--input", "nothing.txt")
        self.fails(2, ["nowhere: no such folder"], "tokenize", "--model",
                   "nowhere")

    def test_full_disk_of_results_is_3(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [PROGRAM, "tokenize", "--model", "bert"], input=b"good\n",
                cwd=self.at, stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"No space left", done.stderr)

    def test_a_reader_that_leaves_is_no_error(self):
        path = self.write("many.txt", b"good book\n" * 50000)
        with subprocess.Popen(
                [PROGRAM, "tokenize", "--model", "bert", "--input", path],
                cwd=self.at, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE) as child:
            child.stdout.readline()
            child.stdout.close()
            self.assertEqual(child.stderr.read(), b"")
            self.assertEqual(child.wait(30), 0)


class Doctor(Base):
    def test_without_a_plugin_it_advises(self):
        env = {key: value for key, value in self.env.items()
               if key != "KEXUE_PLUGIN"}
        done = self.run_program("doctor", env=env)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"no PJRT plugin", done.stdout)
        self.assertIn(b"advice: ", done.stdout)
        done = self.run_program("doctor", "--json", env=env)
        document = json.loads(done.stdout)
        self.assertEqual(done.returncode, 2)
        self.assertFalse(document["ok"])
        self.assertIsNone(document["plugin"])

    def test_a_wrong_plugin_is_named(self):
        path = self.write("wrong.so", b"not a library")
        done = self.run_program("doctor", "--plugin", path)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"wrong.so", done.stdout)
        self.fails(2, ["wrong.so"], "embed", "--model", "bert", "--plugin",
                   path, text="good")

    @needs_plugin
    def test_with_a_plugin(self):
        document = json.loads(self.works("doctor", "--json"))
        self.assertTrue(document["ok"])
        self.assertEqual(len(document["plugin"]["fingerprint"]), 32)
        self.assertGreaterEqual(len(document["platform"]["devices"]), 1)
        self.assertIn("fingerprint", self.works("doctor"))

    @needs_plugin
    def test_devices_of_a_cpu_plugin_can_be_asked_for(self):
        for count in (1, 3):
            document = json.loads(
                self.works("doctor", "--json", "--devices", str(count)))
            if document["platform"]["name"] != "cpu":
                self.skipTest("not a CPU plugin")
            self.assertEqual(len(document["platform"]["devices"]), count)


@needs_plugin
class Inference(Base):
    def test_unit_vectors_in_the_order_of_the_lines(self):
        texts = ["a very good book", "bad", "good film"]
        for extra in ([], ["--pooling", "mean"], ["--dtype", "bf16"]):
            rows = self.rows("embed", "--model", "bert", *extra,
                             text="\n".join(texts))
            self.assertEqual([row["text"] for row in rows], texts)
            for row in rows:
                self.assertEqual(len(row["embedding"]), tiny_model.HIDDEN)
                length = sum(x * x for x in row["embedding"]) ** 0.5
                self.assertAlmostEqual(length, 1, places=5)

    def test_the_folder_chooses_the_pooling(self):
        folder = tiny_model.write(f"{self.at}/pooled")
        os.mkdir(f"{folder}/1_Pooling")
        with open(f"{folder}/1_Pooling/config.json", "w",
                  encoding="utf-8") as file:
            json.dump({"pooling_mode_mean_tokens": True}, file)
        line = "a very good book"
        mean = self.rows("embed", "--model", "bert", "--pooling", "mean",
                         text=line)
        cls = self.rows("embed", "--model", "bert", text=line)
        self.assertEqual(self.rows("embed", "--model", folder, text=line),
                         mean)
        self.assertNotEqual(mean, cls)

    def test_labels_and_probabilities(self):
        row, = self.rows("predict", "--model", "two", "--json", text="good")
        self.assertIn(row["label"], ["L0", "L1"])
        self.assertAlmostEqual(sum(row["probabilities"].values()), 1)
        self.assertEqual(row["probability"],
                         max(row["probabilities"].values()))
        label, probability, text = self.works(
            "predict", "--model", "two", text="good\n").rstrip().split("\t")
        self.assertEqual((label, text), (row["label"], "good"))
        self.assertAlmostEqual(float(probability), row["probability"], 3)

    def test_a_model_with_one_output_gives_scores(self):
        row, = self.rows("predict", "--model", "one", "--json", text="good")
        self.assertEqual(set(row), {"text", "score"})
        score, text = self.works(
            "predict", "--model", "one", text="good\n").rstrip().split("\t")
        self.assertEqual(text, "good")
        self.assertAlmostEqual(float(score), row["score"], 4)

    def test_scores_of_pairs(self):
        path = self.write("pairs.tsv", b"good\ta book\nbad\ta film\n")
        rows = self.rows("rerank", "--model", "one", "--input", path)
        self.assertEqual([(row["query"], row["passage"]) for row in rows],
                         [("good", "a book"), ("bad", "a film")])
        self.fails(2, ["2 classes"], "rerank", "--model", "two", "--input",
                   path)
        path = self.write("pairs.tsv", b"good\ta book\nno tab\n")
        self.fails(3, [f"{path}:2"], "rerank", "--model", "one", "--input",
                   path)

    def test_a_label_outside_the_classes_names_the_line(self):
        path = self.write("eval.tsv", b"L0\tgood\nL7\tbad\n")
        self.fails(3, [f"{path}:2", "L7"], "eval", "--model", "two", "--data",
                   path)

    def test_counts_by_class(self):
        path = self.write("eval.tsv", b"L0\tgood\nL1\tbad\nL1\tgood film\n")
        document = json.loads(self.works("eval", "--model", "two", "--data",
                                         path, "--json"))
        self.assertEqual([c["rows"] for c in document["classes"]], [1, 2])
        right = sum(c["right"] for c in document["classes"])
        self.assertAlmostEqual(document["accuracy"], right / 3)
        self.assertIn("accuracy", self.works("eval", "--model", "two",
                                             "--data", path))

    def test_longer_than_the_position_table(self):
        self.fails(2, ["1000", "32"], "embed", "--model", "bert",
                   "--max-length", "1000", text="good")
        done = self.run_program("embed", "--model", "bert",
                                text="good " * 100)
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"1 text longer than", done.stderr)

    def test_broken_weights(self):
        name = "bert.embeddings.LayerNorm.bias"

        def shape(header):
            header[name]["shape"] = [4, 8]

        def overlap(header):
            header[name]["data_offsets"] = [0, 128]

        def outside(header):
            header[name]["data_offsets"] = [10 ** 9, 10 ** 9 + 128]

        def missing(header):
            header["bert.other"] = header.pop(name)

        for n, (change, status, parts) in enumerate([
                (shape, 3, ["LayerNorm.bias", "[32]", "[4,8]"]),
                (overlap, 3, ["model.safetensors"]),
                (outside, 3, ["model.safetensors"]),
                (missing, 2, ["LayerNorm.bias"])]):
            folder = tiny_model.write(f"{self.at}/broken{n}",
                                      change_header=change)
            self.fails(status, parts, "embed", "--model", folder, text="good")
        folder = tiny_model.write(f"{self.at}/cut")
        os.truncate(f"{folder}/model.safetensors", 20000)
        self.fails(3, ["model.safetensors"], "embed", "--model", folder,
                   text="good")
        os.remove(f"{folder}/model.safetensors")
        self.fails(2, ["model.safetensors"], "embed", "--model", folder,
                   text="good")


@needs_plugin
class Train(Base):
    def config(self, name="run.toml", **extra):
        lines = ['[model]', 'model = "bert"', '[data]',
                 'train_file = "train.tsv"', 'test_file = "test.tsv"',
                 'max_length = 16', 'max_buckets = 1', '[train]',
                 'batch_size = 8', 'lr = 1e-3', 'epochs = 2', 'dropout = 0.0',
                 'precision = "f32"']
        lines += [f"{key} = {value}" for key, value in extra.items()]
        return self.write(name, ("\n".join(lines) + "\n").encode())

    def start(self, folder, stderr=subprocess.PIPE):
        """A run without end."""
        return subprocess.Popen(
            [PROGRAM, "train", self.config(), "--folder", folder, "--set",
             "train.max_steps=1000000"],
            cwd=self.at, env=self.env, stdout=subprocess.PIPE, stderr=stderr)

    def wait_for_steps(self, child):
        for line in child.stderr:
            if line.startswith(b"step "):
                return
        self.fail("no step was made")

    def test_a_run_leaves_a_folder_that_predict_takes(self):
        done = self.run_program("train", self.config(), "--folder", "runs/a",
                                "--json", "--set", "train.epochs=3")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        result = json.loads(done.stdout)
        self.assertEqual(result["steps"], 24)
        self.assertEqual(result["evals"]["test"]["rows"], 16)
        self.assertNotIn(b"\r", done.stderr)
        self.assertIn(b"step 24/24", done.stderr)
        for name in ("config.toml", "environment.json", "metrics.jsonl",
                     "report.html", "model/model.safetensors"):
            self.assertTrue(os.path.exists(f"{self.at}/runs/a/{name}"), name)
        scored = json.loads(self.works("eval", "--model", "runs/a/model",
                                       "--data", "test.tsv", "--json"))
        self.assertAlmostEqual(scored["accuracy"],
                               result["evals"]["test"]["accuracy"])
        self.works("predict", "--model", "runs/a/model", text="a good book")
        os.remove(f"{self.at}/runs/a/report.html")
        page = self.works("report", "runs/a").strip()
        self.assertTrue(os.path.exists(f"{self.at}/{page}"))

    def test_settings_are_checked_like_the_file(self):
        config = self.config()
        cases = {"train.lr=-1": "train.lr", "train.lrr=1": "train.lr",
                 "train.precision=f8": "f8", "nonsense": "section.key=value"}
        for setting, part in cases.items():
            self.fails(2, [part], "train", config, "--set", setting)

    def test_unknown_keys_name_the_nearest(self):
        path = self.config("typo.toml", warmup_ration=0.1)
        self.fails(2, [f"{path}:14", "warmup_ration", "warmup_ratio"],
                   "train", path)

    def test_a_mesh_leaves_the_results_as_they_are(self):
        document = json.loads(self.works("doctor", "--json"))
        if document["platform"]["name"] != "cpu":
            self.skipTest("not a CPU plugin")
        losses = []
        for mesh in ([], ["data=2", "model=2", "zero=1"]):
            settings = ["train.max_steps=4"] + [f"mesh.{m}" for m in mesh]
            done = self.run_program(
                "train", self.config(), "--folder", f"runs/mesh{len(mesh)}",
                "--json", *[x for s in settings for x in ("--set", s)])
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            losses.append(json.loads(done.stdout)["evals"]["test"]["loss"])
            self.assertEqual(b"mesh data=2,model=2" in done.stderr, bool(mesh))
        self.assertAlmostEqual(losses[0], losses[1], places=4)
        self.fails(2, ["mesh.data = 3", "batch_size = 8"], "train",
                   self.config(), "--set", "mesh.data=3")

    def test_a_label_that_training_lacks(self):
        path = self.write("dev.tsv", b"1\tgood\n5\tbad\n")
        self.fails(3, [f"{path}:2", '5'], "train", self.config(),
                   "--set", f"data.dev_file={path}", "--folder", "runs/l")

    def test_ctrl_c_saves_a_model(self):
        with self.start("runs/c") as child:
            self.wait_for_steps(child)
            child.send_signal(signal.SIGINT)
            child.stderr.read()
            child.stdout.read()
            self.assertEqual(child.wait(60), 130)
        self.works("predict", "--model", "runs/c/model", text="good")

    def test_a_second_signal_ends_at_once(self):
        with self.start("runs/d") as child:
            self.wait_for_steps(child)
            child.send_signal(signal.SIGSTOP)
            child.send_signal(signal.SIGINT)
            child.send_signal(signal.SIGTERM)
            child.send_signal(signal.SIGCONT)
            child.stderr.read()
            child.stdout.read()
            self.assertEqual(child.wait(60), 130)
        self.assertFalse(os.path.exists(f"{self.at}/runs/d/model"))

    def test_a_bar_on_a_terminal(self):
        ours, theirs = pty.openpty()
        with self.start("runs/t", stderr=theirs) as child:
            os.close(theirs)
            seen = b""
            while b"[" not in seen or b"step 2" not in seen:
                seen += os.read(ours, 4096)
            child.send_signal(signal.SIGINT)
            try:
                while os.read(ours, 4096):
                    pass
            except OSError:  # the terminal's other end is closed
                pass
            child.stdout.read()
            child.wait(60)
        os.close(ours)
        self.assertIn(b"\r", seen)

    def test_a_full_disk_while_saving(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
        self.fails(3, ["File too large"], "train", self.config(),
                   "--folder", "runs/f", preexec_fn=limit)
        self.assertFalse(os.path.exists(f"{self.at}/runs/f/model"))

    def test_a_used_folder_is_left_alone(self):
        os.makedirs(f"{self.at}/runs/u", exist_ok=True)
        path = self.write("runs/u/precious.txt", b"mine")
        self.fails(2, ["runs/u"], "train", self.config(), "--folder",
                   "runs/u")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"mine")


class Demo(Base):
    def test_missing_data_says_how_to_get_it(self):
        self.fails(2, ["bge_zh", "./dev demo"], "demo", "--data", "nowhere")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
