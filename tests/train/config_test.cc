#include "kexue/train/config.h"
#include "kexue/train/make_optimizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::train {
namespace {

using testing::TempFolder;

constexpr const char* kNeeded =
    "[model]\nmodel = \"m\"\n[data]\ntrain_file = \"t.tsv\"\n";

RunConfig read(const std::string& text) {
  const TempFolder folder;
  const std::string path = folder / "run.toml";
  io::write_file(path, text);
  return read_run_config(path);
}

TEST(RunConfig, MissingKeysHaveTheirDefaults) {
  const RunConfig c = read(kNeeded);
  EXPECT_EQ(c.model, "m");
  EXPECT_EQ(c.train_file, "t.tsv");
  EXPECT_EQ(c.epochs, 2);
  EXPECT_EQ(c.batch_size, 32);
  EXPECT_EQ(c.lr, 5e-5);
  EXPECT_EQ(c.precision, "bf16");
  EXPECT_EQ(c.max_buckets, 6);
  EXPECT_TRUE(c.folder.starts_with("runs/run-20")) << c.folder;
}

TEST(RunConfig, TomlOfAConfigReadsBackEqual) {
  RunConfig c;
  c.model = "a \"b\" \\ \xE6\x96\x87 \x01";
  c.train_file = "t";
  c.dev_file = "d";
  c.lr = 1.0 / 3;
  c.weight_decay = 1;
  c.warmup_ratio = 0;
  c.clip_norm = 1e-300;
  c.columns.second_text = 2;
  c.skip_bad_lines = true;
  c.loss_scale = "1024";
  c.precision = "fp16";
  c.seed = 9223372036854775807U;
  c.folder = "runs/x";
  EXPECT_EQ(read(to_toml(c)), c);
  c.optimizer = {{"adamw_for", optim::NameList{"word", "a \"b\""}},
                 {"name", "muon"},
                 {"nesterov", false},
                 {"rates", optim::NumberTable{{"embeddings.word", 0.5}}},
                 {"steps", 6.0}};
  EXPECT_EQ(read(to_toml(c)), c);
}

std::string with_optimizer(const std::string& lines) {
  return std::string(kNeeded) + "[optimizer]\n" + lines;
}

TEST(RunConfig, OptimizerSectionNamesARuleAndItsOptions) {
  const RunConfig c = read(with_optimizer(
      "name = \"lamb\"\nbeta1 = 0.8\nschedule = \"piecewise\"\n"
      "schedule_points = {1000 = 1, 200 = 0.5}\nclip = \"soft\"\n"));
  const UpdatePlan plan = make_optimizer(c);
  EXPECT_EQ(plan.clip.form, optim::ClipOptions::Form::kSoft);
  EXPECT_EQ(plan.clip.limit, 1);
  EXPECT_FALSE(plan.loss.active());
  EXPECT_EQ(plan.schedule.points,
            (std::vector<std::pair<double, double>>{{200, 0.5}, {1000, 1}}));
  const auto slots = plan.optimizer->slots({"w", {DType::kF32, {2}}});
  ASSERT_EQ(slots.size(), 2U);
  EXPECT_EQ(slots[0].name, "m");
}

TEST(RunConfig, OptimizerMistakesAreFoundByLine) {
  EXPECT_ERROR(read(with_optimizer("name = \"adamm\"")),
               Code::kInvalidArgument,
               "run.toml:6: unknown optimizer \"adamm\"",
               "adafactor, adafactor_v1, adagrad, adam, adamw");
  EXPECT_ERROR(read(with_optimizer("name = \"lion\"\nbeta3 = 0.5")),
               Code::kInvalidArgument,
               "run.toml:7: optimizer lion has no option \"beta3\"",
               "it has beta1, beta2, weight_decay");
  EXPECT_ERROR(read(with_optimizer("beta1 = \"x\"")),
               Code::kInvalidArgument,
               "run.toml:6: optimizer.beta1 must be a number, got text");
  EXPECT_ERROR(read(with_optimizer("name = \"lion\"\nbeta1 = 1")),
               Code::kInvalidArgument,
               "run.toml:6: lion: wants beta1 in [0,1), got 1");
  EXPECT_ERROR(read(with_optimizer("no_decay = [1]")),
               Code::kInvalidArgument,
               "run.toml:6: optimizer.no_decay must be a list of text");
  EXPECT_ERROR(read(with_optimizer("no_decay = [\"\"]")),
               Code::kInvalidArgument,
               "optimizer.no_decay must be",
               "none empty");
  EXPECT_ERROR(read(with_optimizer("lookahead = 1.5")),
               Code::kInvalidArgument,
               "optimizer.lookahead must be an integer, got 1.5");
  EXPECT_ERROR(read(with_optimizer("beta1 = nan")),
               Code::kInvalidArgument,
               "optimizer.beta1 must be finite, got nan");
  EXPECT_ERROR(read(with_optimizer("eps = 1979-05-27")),
               Code::kInvalidArgument,
               "run.toml:6: optimizer.eps must be a value");
}

TEST(RunConfig, ScheduleAndClipMistakesAreFoundByLine) {
  EXPECT_ERROR(read(with_optimizer("schedule = \"sine\"")),
               Code::kInvalidArgument,
               "run.toml:6: schedule must be linear",
               "sine");
  EXPECT_ERROR(read(with_optimizer("schedule = \"piecewise\"")),
               Code::kInvalidArgument,
               "run.toml:6: schedule: piecewise needs points");
  EXPECT_ERROR(read(with_optimizer(
                   "schedule = \"piecewise\"\nschedule_points = {ten = 1}")),
               Code::kInvalidArgument,
               "the steps must be numbers, got \"ten\"");
  EXPECT_ERROR(read(with_optimizer("schedule_points = {10 = 1}")),
               Code::kInvalidArgument,
               "run.toml:6: schedule: points are for the piecewise kind");
  EXPECT_ERROR(read(with_optimizer("clip = \"firm\"")),
               Code::kInvalidArgument,
               "run.toml:6: clip form must be hard, soft or value");
  EXPECT_ERROR(read(with_optimizer("clip_eps = -1")),
               Code::kInvalidArgument,
               "run.toml:6: clip: wants a limit >= 0");
  EXPECT_ERROR(read(with_optimizer("lookahead = 3\ngradient_penalty = -1")),
               Code::kInvalidArgument,
               "run.toml:7: gradient_penalty must be at least 0, got -1");
}

TEST(RunConfig, LossTransformsAreReadAndChecked) {
  const auto plan = make_optimizer(read(with_optimizer(
      "fgm = 0.5\nfgm_add_clean = true\ngradient_penalty = 0.1\nr_drop = 4\n"
      "vat = 0.7\nvat_size = 2\nvat_xi = 5\nvat_iterations = 3\n"
      "perturb = \"position\"")));
  EXPECT_EQ(plan.loss.fgm, 0.5);
  EXPECT_TRUE(plan.loss.fgm_add_clean);
  EXPECT_EQ(plan.loss.gradient_penalty, 0.1);
  EXPECT_EQ(plan.loss.r_drop, 4);
  EXPECT_EQ(plan.loss.vat, 0.7);
  EXPECT_EQ(plan.loss.vat_size, 2);
  EXPECT_EQ(plan.loss.vat_xi, 5);
  EXPECT_EQ(plan.loss.vat_iterations, 3);
  EXPECT_EQ(plan.loss.table, "position");
  EXPECT_FALSE(make_optimizer(read(kNeeded)).loss.active());
  EXPECT_ERROR(read(with_optimizer("fgm = 1\nr_drop = -4")),
               Code::kInvalidArgument,
               "run.toml:7: r_drop must be at least 0, got -4");
  EXPECT_ERROR(read(with_optimizer("vat = -1")),
               Code::kInvalidArgument,
               "run.toml:6: vat must be at least 0, got -1");
  EXPECT_ERROR(read(with_optimizer("vat_xi = 0")),
               Code::kInvalidArgument,
               "run.toml:6: vat_xi must be above 0, got 0");
  EXPECT_ERROR(read(with_optimizer("vat = 1\nvat_iterations = 17")),
               Code::kInvalidArgument,
               "run.toml:7: vat_iterations must be in 1..16, got 17");
  EXPECT_ERROR(
      read(with_optimizer("vat = 1\n[train]\ntask = \"regress\"")),
      Code::kInvalidArgument,
      "run.toml:6: optimizer.vat compares the probabilities of classes",
      "train.task = \"regress\"");
  EXPECT_ERROR(read(with_optimizer("r_drop = 1\n[train]\ntask = \"regress\"")),
               Code::kInvalidArgument,
               "run.toml:6: optimizer.r_drop compares");
}

TEST(RunConfig, LossScaleMayBeANumber) {
  const std::string text = std::string(kNeeded) + "[train]\nloss_scale = ";
  EXPECT_EQ(read(text + "1024").loss_scale, "1024");
  EXPECT_EQ(read(text + "0.5").loss_scale, "0.5");
  EXPECT_EQ(read(text + "\"dynamic\"").loss_scale, "dynamic");
  EXPECT_ERROR(read(text + "0"),
               Code::kInvalidArgument,
               "run.toml:6: train.loss_scale",
               "positive");
}

TEST(RunConfig, UnknownKeyNamesTheNearest) {
  EXPECT_ERROR(read(std::string(kNeeded) + "[train]\nlrr = 1e-5\n"),
               Code::kInvalidArgument,
               "run.toml:6: unknown key \"train.lrr\"",
               "did you mean \"train.lr\"?");
  EXPECT_ERROR(read(std::string(kNeeded) + "[trian]\nepochs = 1\n"),
               Code::kInvalidArgument,
               "run.toml:5: unknown key \"trian.epochs\"",
               "\"train.epochs\"");
  EXPECT_ERROR(read("lr = 1\n"),
               Code::kInvalidArgument,
               "run.toml:1: unknown key \"lr\"",
               "\"train.lr\"");
  EXPECT_ERROR(read("train = 3\n"),
               Code::kInvalidArgument,
               "run.toml:1: unknown key \"train\"");
}

TEST(RunConfig, HugeOrHostileKeysStayShortInTheMessage) {
  const std::string text = "\"" + std::string(100'000, 'x') + "\" = 1\n";
  try {
    read(text);
    FAIL();
  } catch (const Error& e) {
    EXPECT_LT(std::string(e.what()).size(), 400U);
  }
  EXPECT_ERROR(read("\"a\\u001bb\" = 1\n"),
               Code::kInvalidArgument,
               "unknown key \"a\\x1bb\"");
}

TEST(RunConfig, WrongTypesSayWhatIsWanted) {
  const auto with = [](const std::string& line) {
    return read(std::string(kNeeded) + "[train]\n" + line + "\n");
  };
  EXPECT_ERROR(with("epochs = \"two\""),
               Code::kInvalidArgument,
               "run.toml:6: train.epochs must be an integer, got text");
  EXPECT_ERROR(with("epochs = 2.5"),
               Code::kInvalidArgument,
               "train.epochs must be an integer");
  EXPECT_ERROR(with("lr = true"),
               Code::kInvalidArgument,
               "train.lr must be a number, got true or false");
  EXPECT_ERROR(with("remat = 1"),
               Code::kInvalidArgument,
               "train.remat must be text, got an integer");
  EXPECT_ERROR(with("remat = \"all\""),
               Code::kInvalidArgument,
               "train.remat must be none or layer, got \"all\"");
  EXPECT_ERROR(with("precision = [1]"),
               Code::kInvalidArgument,
               "train.precision must be text, got a list");
  EXPECT_EQ(with("lr = 1").lr, 1.0);
}

TEST(RunConfig, ValuesOutsideTheirRangeAreErrors) {
  const auto refused = [](const std::string& section,
                          const std::string& line,
                          const std::string& part) {
    const std::string head =
        section == "data" ? kNeeded : kNeeded + ("[" + section + "]\n");
    EXPECT_ERROR(read(head + line + "\n"), Code::kInvalidArgument, part);
  };
  refused("train", "lr = 0", "train.lr must be a number in (0, inf), got 0");
  refused("train", "lr = nan", "train.lr");
  refused("train", "lr = inf", "train.lr");
  refused("train", "dropout = 1.0", "train.dropout must be a number in [0, 1)");
  refused("train", "warmup_ratio = 1.5", "train.warmup_ratio");
  refused("train", "epochs = 0", "train.epochs");
  refused("train", "batch_size = -1", "train.batch_size");
  refused("train", "seed = -1", "train.seed");
  refused("train", "precision = \"f8\"", "f32, bf16 or fp16, got \"f8\"");
  refused("data", "max_buckets = 0", "data.max_buckets");
  refused("data", "max_length = 2", "data.max_length");
  refused("data", "label_column = -1", "data.label_column");
  refused("data", "text_column = 0", "must differ");
}

TEST(RunConfig, TasksHaveTheirKeys) {
  const TempFolder folder;
  const std::string path = folder / "run.toml";
  io::write_file(path, kNeeded);
  const auto with = [&](std::vector<std::string> settings) {
    return read_run_config(path, settings);
  };
  const RunConfig c = with({"train.task=masked_lm",
                            "masked_lm.style=bert",
                            "masked_lm.probability=0.2",
                            "masked_lm.max_predictions=10",
                            "masked_lm.whole_words=false",
                            "regress.sign_margin=0.5",
                            "classify.class_weights=[1, 0.25]",
                            "data.stream=true",
                            "data.shuffle_buffer=100",
                            "data.header=true",
                            "data.text_field=body",
                            "early_stop.metric=accuracy",
                            "early_stop.mode=max",
                            "train.eval_every=5"});
  EXPECT_EQ(c.task, "masked_lm");
  EXPECT_EQ(c.mask_style, "bert");
  EXPECT_EQ(c.mask_probability, 0.2);
  EXPECT_EQ(c.class_weights, "1, 0.25");
  EXPECT_EQ(class_weights_from_text(c.class_weights),
            (std::vector<double>{1, 0.25}));
  EXPECT_TRUE(c.stream);
  EXPECT_EQ(c.columns.text_field, "body");
  EXPECT_EQ(read(to_toml(c)), c);

  const auto refused = [&](const std::string& setting,
                           const std::string& part) {
    EXPECT_ERROR(with({setting}), Code::kInvalidArgument, part);
  };
  refused("train.task=tag",
          "train.task must be classify, regress or masked_lm, got \"tag\"");
  refused("masked_lm.style=x", "must be roberta or bert, got \"x\"");
  refused("masked_lm.probability=1", "must be a number in (0, 1), got 1");
  refused("masked_lm.max_predictions=0", "masked_lm.max_predictions");
  refused("regress.sign_margin=-1", "regress.sign_margin");
  refused("classify.class_weights=[1, -2]", "got \"1, -2\"");
  refused("classify.class_weights=[\"a\"]", "got \"?\"");
  refused("classify.class_weights=some", "none, auto or positive");
  refused("data.shuffle_buffer=0", "data.shuffle_buffer");
  refused("data.stream=yes", "data.stream must be true or false, got text");
  refused("early_stop.mode=up", "must be auto, min or max, got \"up\"");
  refused("early_stop.patience=1", "early_stop.patience needs data.dev_file");
  refused("train.eval_every=-1", "train.eval_every");
  refused("model.hidden=64", "sizes of a new model, too");
}

// Each has figures beside it, which name a metric of its task.
TEST(RunConfig, ExamplesThatShipAreValid) {
  namespace fs = std::filesystem;
  int files = 0;
  for (const auto& entry :
       fs::directory_iterator(KEXUE_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    const RunConfig c = read_run_config(entry.path().string());
    fs::path figures = entry.path();
    figures.replace_extension(".expected.json");
    const std::string text = io::read_file(figures.string(), 1 << 16);
    const std::string headline = c.task == "regress" ? "pearson" : "accuracy";
    EXPECT_NE(text.find('"' + headline + '"'), std::string::npos) << figures;
    EXPECT_NE(text.find(entry.path().filename().string()), std::string::npos);
  }
  EXPECT_EQ(files, 3);
}

TEST(RunConfig, NewModelsNeedTheirSizes) {
  const auto with = [](const std::string& lines) {
    return read("[data]\ntrain_file = \"t\"\n[model]\n" + lines);
  };
  EXPECT_EQ(with("layers = 2\nhidden = 64\nheads = 4\n").hidden, 64);
  for (const char* bad : {"layers = 2\n",
                          "layers = 2\nhidden = 64\n",
                          "layers = 2\nhidden = 64\nheads = 5\n"}) {
    EXPECT_ERROR(with(bad), Code::kInvalidArgument, "a new model needs");
  }
}

TEST(RunConfig, NeededKeysMustBeThere) {
  EXPECT_ERROR(read("[data]\ntrain_file = \"t\"\n"),
               Code::kInvalidArgument,
               "model.model must be given");
  EXPECT_ERROR(read("[model]\nmodel = \"m\"\n"),
               Code::kInvalidArgument,
               "data.train_file must be given");
}

TEST(RunConfig, SyntaxErrorsNameFileAndLine) {
  EXPECT_ERROR(
      read("[model]\nmodel = \n"), Code::kInvalidArgument, "run.toml:2:");
  EXPECT_ERROR(
      read("[model]\nmodel = \"\xFF\"\n"), Code::kInvalidArgument, "run.toml:");
  EXPECT_ERROR(read("a = " + std::string(5000, '[')),
               Code::kInvalidArgument,
               "run.toml:1:");
}

TEST(RunConfig, MissingAndHugeFilesAreErrors) {
  EXPECT_ERROR(read_run_config("/no/such.toml"), Code::kNotFound, "such.toml");
  EXPECT_ERROR(read(std::string((1 << 20) + 1, '#')),
               Code::kUnsupported,
               "the limit is 1048576");
}

TEST(RunConfig, HandMadeConfigsAreCheckedToo) {
  RunConfig c;
  EXPECT_ERROR(check_run_config(c),
               Code::kInvalidArgument,
               "data.train_file must be given");
  c.train_file = "t";
  EXPECT_ERROR(
      check_run_config(c), Code::kInvalidArgument, "model.model must be given");
  c.model = "m";
  check_run_config(c);
  c.lr = -1;
  EXPECT_ERROR(check_run_config(c), Code::kInvalidArgument, "train.lr");
}

TEST(RunConfig, MeshSpreadsTheSteps) {
  const auto with = [](const std::string& lines) {
    return read(std::string(kNeeded) + "[mesh]\n" + lines);
  };
  EXPECT_FALSE(parallel_of(with("")).active());
  EXPECT_FALSE(parallel_of(with("zero = 1\n")).active());
  const RunConfig c = with("data = 2\nmodel = 4\nzero = 3\n");
  EXPECT_EQ(read(to_toml(c)), c);
  const Parallel p = parallel_of(c);
  EXPECT_EQ(p.mesh, (Mesh{{"data", 2}, {"model", 4}}));
  EXPECT_EQ(p.zero, Zero::kParams);
  const std::string table = "embeddings.word.weight";
  EXPECT_TRUE(nn::sharding_of(p.rules, table).replicated());
  EXPECT_FALSE(
      nn::sharding_of(
          parallel_of(with("model = 2\nsplit_vocabulary = true\n")).rules,
          table)
          .replicated());
  EXPECT_EQ(parallel_of(with("data = 2\nzero = 1\n")).zero, Zero::kSlots);
  EXPECT_EQ(parallel_of(with("data = 2\n")).zero, Zero::kNone);
}

TEST(RunConfig, MeshThatCannotBeIsAnError) {
  const auto with = [](const std::string& lines) {
    return read(std::string(kNeeded) + "[mesh]\n" + lines);
  };
  EXPECT_ERROR(with("data = 0\n"),
               Code::kInvalidArgument,
               "run.toml:6: mesh.data must be an integer in 1..1024, got 0");
  EXPECT_ERROR(with("data = 3\n"),
               Code::kInvalidArgument,
               "mesh.data = 3 does not divide train.batch_size = 32",
               "every device");
  EXPECT_ERROR(with("zero = 2\n"),
               Code::kInvalidArgument,
               "mesh.zero must be 0, 1 or 3, got 2");
  EXPECT_ERROR(with("dta = 2\n"),
               Code::kInvalidArgument,
               "unknown key \"mesh.dta\"",
               "\"mesh.data\"");
}

TEST(RunConfig, NamesOfPrecisionsAndScales) {
  EXPECT_EQ(precision_from_name("fp16"), DType::kF16);
  EXPECT_EQ(precision_from_name("bf16"), DType::kBF16);
  EXPECT_EQ(loss_scale_from_name("none").kind, LossScale::Kind::kNone);
  EXPECT_EQ(loss_scale_from_name("dynamic").initial, 65536);
  EXPECT_EQ(loss_scale_from_name("1024").kind, LossScale::Kind::kStatic);
  for (const char* bad : {"", "-1", "inf", "nan", "1024x", "auto", "1e39"}) {
    EXPECT_ERROR(
        loss_scale_from_name(bad), Code::kInvalidArgument, "loss scale");
  }
}

}  // namespace
}  // namespace kexue::train
