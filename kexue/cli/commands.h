// The commands, as plain functions of plain options.
//
// Each returns the exit status, prints results through the console, and throws
// kexue::Error for what it cannot do; main() reports that once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kexue/cli/console.h"
#include "kexue/data/dataset.h"

namespace kexue::cli {

// Where programs run.
struct DeviceOptions {
  std::string plugin;   // "": search
  int64_t threads = 0;  // of our kernels; 0: all cores
  int64_t devices = 1;  // of a CPU plugin
};

// Commands that read lines of text.
struct TextOptions {
  std::string model;
  std::string input = "-";
  std::string precision = "f32";
  int64_t batch_size = 32;
  int64_t max_length = 0;  // 0: what the model can take
  bool skip_bad = false;
  DeviceOptions device;
};

struct TrainOptions {
  std::string config;
  std::vector<std::string> settings;  // "train.lr=2e-5"
  std::string precision;              // "": the file's
  std::string loss_scale;             // "": the file's
  std::string folder;                 // "": the file's
  std::string resume;                 // "": the file's
  DeviceOptions device;
};
int run_train(const TrainOptions& options, Console& console);

struct EvalOptions {
  TextOptions text;           // input: the file with labels
  std::string task = "auto";  // by the model's head
  data::Columns columns;
  double sign_margin = 0;  // regress
  // masked_lm: as the run that made the model had them
  std::string mask_style = "roberta";
  double mask_probability = 0.15;
  int64_t max_predictions = 20;
  bool split_words = false;
  uint64_t seed = 0;
};
int run_eval(const EvalOptions& options, Console& console);

struct PredictOptions {
  TextOptions text;
};
int run_predict(const PredictOptions& options, Console& console);

struct EmbedOptions {
  TextOptions text;
  std::string pooling;  // "": as the model says, else cls
};
int run_embed(const EmbedOptions& options, Console& console);

struct RerankOptions {
  TextOptions text;  // input: query <TAB> passage
};
int run_rerank(const RerankOptions& options, Console& console);

struct TokenizeOptions {
  std::string model;
  std::string vocab;  // in place of `model`
  bool cased = false;
  std::string input = "-";
  bool no_special = false;
  int64_t max_length = 0;  // 0: no limit
  bool skip_bad = false;
};
int run_tokenize(const TokenizeOptions& options, Console& console);

struct DoctorOptions {
  DeviceOptions device;
};
int run_doctor(const DoctorOptions& options, Console& console);

struct DemoOptions {
  bool quick = false;
  std::string data;  // "": data/ of the cache
  std::string folder = "runs/demo";
  uint64_t seed = 0;
  DeviceOptions device;
};
int run_demo(const DemoOptions& options, Console& console);

// Hidden: one training step of a config, timed from the start of the process.
struct FirstStepOptions {
  std::string config;
  DeviceOptions device;
};
int run_first_step(const FirstStepOptions& options, Console& console);

struct ConvertOptions {
  std::string input;
  std::string output;  // *.safetensors, *.gguf or a folder
  std::string dtype;   // "": as it is; "q8_0" for GGUF
  std::string map;     // "": what suits the file
  std::string max_shard_size = "5GB";
};
int run_convert(const ConvertOptions& options, Console& console);

struct InspectOptions {
  std::string input;
  std::vector<std::string> tensors;  // empty: all
  std::string map = "none";
  bool no_statistics = false;
};
int run_inspect(const InspectOptions& options, Console& console);

struct ReportOptions {
  std::vector<std::string> folders;
  std::string output;  // "": report.html of the run, or beside the first one
};
int run_report(const ReportOptions& options, Console& console);

struct RunsOptions {
  enum class Action { kList, kShow, kCompare, kRebuild };
  Action action = Action::kList;
  std::string registry = "runs/registry.sqlite";
  std::vector<std::string> runs;   // ids, names, folders; kRebuild: folders
  std::vector<std::string> where;  // "dev.accuracy>0.85"
  std::string sort = "started";
  bool ascending = false;
  int64_t limit = 50;  // 0: all
};
int run_runs(const RunsOptions& options, Console& console);

struct BenchCommandOptions {
  std::string work;   // "": list them
  std::string sizes;  // "L=4,H=256"
  std::string dtype = "f32";
  int64_t steps = 10;
  bool describe = false;
  bool no_cache = false;
  bool serve = false;
  std::string load;
  std::string save;
  DeviceOptions device;
};
int run_bench(const BenchCommandOptions& options, Console& console);

struct ProfileOptions {
  std::string subject;  // a work of bench, or a training config (.toml)
  std::string sizes;
  std::string dtype;  // "": the config's, or f32
  int64_t repeats = 3;
  std::string page;  // write an HTML page there
  DeviceOptions device;
};
int run_profile(const ProfileOptions& options, Console& console);

struct AbcOptions {
  std::vector<std::string> numbers;
  bool all = false;
  std::string table;  // "LO:HI"
  std::string method = "auto";
  bool counts = false;
  bool yes = false;
  std::string plot;  // write an HTML page there
  uint64_t seed = 0;
};
int run_abc(const AbcOptions& options, Console& console);

struct ColouringOptions {
  std::string figure;  // FILE.json
  std::string preset;  // "cross"
  uint64_t chain = 0;
  uint64_t ring = 0;
  std::string grid;  // "ROWSxCOLUMNS"
  std::string rule = "none";
  int window = 2;         // squares that the rule holds for
  std::string cell_rule;  // "": the figure's
  int colours = 0;        // 0: the figure's, or 3
  uint64_t modulo = 0;    // 0: exact
  std::string engine = "all";
  int64_t sample = 0;
  int64_t list = 0;
  uint64_t seed = 0;
  std::string orbits;   // "": none; segments, colours, both
  std::string picture;  // FILE.svg or FILE.html
};
int run_colourings(const ColouringOptions& options, Console& console);

struct HotWaterOptions {
  std::string scenario;  // "": the example
  std::vector<std::string> schemes;
  std::string page;    // write an HTML page there
  std::string sweep;   // KEY=FROM:TO:NUMBER
  std::string preset;  // print this scheme's scenario
  bool example = false;
};
int run_hot_water(const HotWaterOptions& options, Console& console);

struct RecipeOptions {
  std::string action;  // list, show, run
  std::string name;
  bool quick = false;
  uint64_t seed = 0;
  int64_t seeds = 1;
  std::string folder;  // "": runs/recipe-NAME
  DeviceOptions device;
};
int run_recipe(const RecipeOptions& options, Console& console);

}  // namespace kexue::cli
