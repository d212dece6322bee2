// One table of commands, parsed into plain options.
//
// CLI11 is included here and in program_page.cc alone: it costs seconds to
// compile.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kexue/cli/command_table.h"
#include "kexue/cli/commands.h"
#include "kexue/cli/console.h"
#include "kexue/cli/program_page.h"
#include "kexue/cli/version.h"
#include "kexue/cli/wordfreq.h"

namespace kexue::cli {
namespace {

using Run = std::function<int(Console&)>;

struct Command {
  const char* name;
  const char* about;
  const char* example;
  // Adds the options to the app; what it returns runs the command.
  Run (*declare)(CLI::App& app);
};

void add_device(CLI::App& app, DeviceOptions& o) {
  app.add_option(
         "--plugin", o.plugin, "PJRT plugin; default: search, see doctor")
      ->type_name("FILE");
  app.add_option("--threads", o.threads, "threads of our kernels; 0: all cores")
      ->check(CLI::Range(0, 1024));
}

// Options of every command that runs a trained model on lines of text.
void add_text(CLI::App& app,
              TextOptions& o,
              const char* input,
              const char* input_help,
              const char* precision) {
  app.add_option("--model", o.model, "folder with config, weights, tokenizer")
      ->type_name("DIR")
      ->required();
  auto* in = app.add_option(input, o.input, input_help)->type_name("FILE");
  if (std::string_view(input_help).find("default") == std::string_view::npos) {
    in->required();
  }
  app.add_option(precision, o.precision, "arithmetic of products")
      ->check(CLI::IsMember({"f32", "bf16", "fp16"}))
      ->capture_default_str();
  app.add_option("--batch-size", o.batch_size, "texts computed together")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--max-length",
                 o.max_length,
                 "tokens of a text; 0: what the model can take")
      ->check(CLI::Range(0, 1 << 20));
  app.add_flag("--skip-bad",
               o.skip_bad,
               "leave out lines that are empty or not UTF-8, and count them");
  add_device(app, o.device);
}

constexpr const char* kLines = "lines of UTF-8 text; default -: standard input";

Run declare_train(CLI::App& app) {
  auto o = std::make_shared<TrainOptions>();
  app.add_option("config", o->config, "TOML file, see docs/cli.md")
      ->type_name("CONFIG.toml")
      ->required();
  app.add_option("--set", o->settings, "a key in place of the file's")
      ->type_name("SECTION.KEY=VALUE")
      ->take_all()
      ->expected(1);
  app.add_option("--precision", o->precision, "train.precision")
      ->check(CLI::IsMember({"f32", "bf16", "fp16"}));
  app.add_option("--loss-scale",
                 o->loss_scale,
                 "train.loss_scale: none, dynamic or a number; for fp16")
      ->type_name("SCALE");
  // What people know from TensorFlow, with the answer.
  app.add_option("--xla")->group("")->check([](const std::string&) {
    return "a whole step is always one XLA program, compiled before it first "
           "runs: there is nothing to turn on, and no mode that only fuses";
  });
  app.add_option("--folder", o->folder, "run.folder: where the run is left")
      ->type_name("DIR");
  app.add_option("--resume",
                 o->resume,
                 "run.resume: go on with the newest checkpoint of the folder "
                 "(auto), or with this one (runs/x/checkpoints/step-...)")
      ->type_name("auto|PATH");
  add_device(app, o->device);
  return [o](Console& console) { return run_train(*o, console); };
}

void add_eval_fields(CLI::App& app, EvalOptions& o) {
  app.add_option("--label-field", o.label_field, "key, or name of a column")
      ->capture_default_str();
  app.add_option("--text-field", o.text_field, "key, or name of a column")
      ->capture_default_str();
  app.add_option("--second-text-field", o.second_text_field, "default: none");
  app.add_option("--sign-margin",
                 o.sign_margin,
                 "regress: sign accuracy leaves out |score| below it")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--mask-style", o.mask_style, "masked_lm, as the next four")
      ->check(CLI::IsMember({"roberta", "bert"}))
      ->capture_default_str();
  app.add_option("--mask-probability", o.mask_probability, "of a token")
      ->capture_default_str();
  app.add_option("--max-predictions", o.max_predictions, "of a row; bert only")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 20))
      ->capture_default_str();
  app.add_flag("--split-words", o.split_words, "mask pieces on their own");
  app.add_option("--seed", o.seed, "of the masks: that of the run")
      ->capture_default_str();
}

Run declare_eval(CLI::App& app) {
  auto o = std::make_shared<EvalOptions>();
  add_text(app,
           o->text,
           "--data",
           "TSV, CSV or JSONL file with labels, or a folder",
           "--precision");
  app.add_option("--task", o->task, "auto: what the model's head is for")
      ->check(CLI::IsMember({"auto", "classify", "regress", "masked_lm"}))
      ->capture_default_str();
  app.add_option("--label-column", o->label_column, "from 0")
      ->check(CLI::Range(0, 4095))
      ->capture_default_str();
  app.add_option("--text-column", o->text_column, "from 0")
      ->check(CLI::Range(0, 4095))
      ->capture_default_str();
  app.add_option("--second-text-column", o->second_text_column, "-1: none")
      ->check(CLI::Range(-1, 4095))
      ->capture_default_str();
  app.add_flag(
      "--header", o->header, "TSV and CSV: the first row names the columns");
  add_eval_fields(app, *o);
  return [o](Console& console) { return run_eval(*o, console); };
}

Run declare_predict(CLI::App& app) {
  auto o = std::make_shared<PredictOptions>();
  add_text(app, o->text, "--input", kLines, "--precision");
  return [o](Console& console) { return run_predict(*o, console); };
}

Run declare_embed(CLI::App& app) {
  auto o = std::make_shared<EmbedOptions>();
  app.add_option("--pooling",
                 o->pooling,
                 "of tokens to one vector; default: what the folder's "
                 "1_Pooling/config.json says, else cls")
      ->check(CLI::IsMember({"cls", "mean"}));
  add_text(app, o->text, "--input", kLines, "--dtype");
  return [o](Console& console) { return run_embed(*o, console); };
}

Run declare_rerank(CLI::App& app) {
  auto o = std::make_shared<RerankOptions>();
  add_text(app, o->text, "--input", "lines query<TAB>passage", "--precision");
  return [o](Console& console) { return run_rerank(*o, console); };
}

Run declare_tokenize(CLI::App& app) {
  auto o = std::make_shared<TokenizeOptions>();
  app.add_option("--model", o->model, "folder with tokenizer.json or vocab.txt")
      ->type_name("DIR");
  app.add_option("--vocab", o->vocab, "a vocabulary alone, in place of --model")
      ->type_name("FILE");
  app.add_flag("--cased", o->cased, "with --vocab: keep case and accents");
  app.add_option("--input", o->input, kLines)->type_name("FILE");
  app.add_flag("--no-special", o->no_special, "leave out [CLS] and [SEP]");
  app.add_option("--max-length", o->max_length, "tokens of a text; 0: no limit")
      ->check(CLI::Range(0, 1 << 30));
  app.add_flag("--skip-bad",
               o->skip_bad,
               "leave out lines that are empty or not UTF-8, and count them");
  return [o](Console& console) { return run_tokenize(*o, console); };
}

Run declare_wordfreq(CLI::App& app) {
  auto o = std::make_shared<WordfreqOptions>();
  app.add_option("inputs", o->inputs, "files, folders, or -: standard input")
      ->type_name("FILES|DIR|-");
  app.add_option("--tokenizer", o->tokenizer, "what a word is")
      ->check(CLI::IsMember({"ws", "unicode", "jieba", "wordpiece", "bpe"}))
      ->capture_default_str();
  app.add_option("--model", o->model, "folder of jieba, wordpiece or bpe")
      ->type_name("DIR");
  app.add_option("--threads", o->threads, "0: all cores")
      ->check(CLI::Range(0, 1024));
  app.add_option("--mode", o->mode, "how to count; all give the same table")
      ->check(CLI::IsMember({"naive", "batched", "radix", "auto"}))
      ->capture_default_str();
  app.add_option("--batch", o->batch, "lines in a batch of --mode batched")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  app.add_option("--top", o->top, "only the K most frequent tokens")
      ->type_name("K")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  app.add_option("--min-count", o->min_count, "only tokens as frequent as that")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--out", o->out, "write the table there")
      ->type_name("FILE.tsv");
  app.add_flag("--strict", o->strict, "broken UTF-8 is an error");
  app.add_flag("--mmap", o->map_files, "read files through mmap");
  app.add_option("--memory", o->memory_mb, "MiB of tables; 0: half of the free")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 30));
  app.add_option("--spill",
                 o->spill_folder,
                 "for tables beyond that; "
                 "default: $TMPDIR, else /tmp")
      ->type_name("DIR");
  app.add_flag("--bench", o->bench, "time all modes, taking turns");
  app.add_option("--repeats", o->repeats, "of each mode in --bench")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--page", o->page, "write the bench as a page, too")
      ->type_name("FILE.html");
  return [o](Console& console) { return run_wordfreq(*o, console); };
}

Run declare_doctor(CLI::App& app) {
  auto o = std::make_shared<DoctorOptions>();
  add_device(app, o->device);
  app.add_option("--devices",
                 o->device.devices,
                 "of a CPU plugin, as train's "
                 "[mesh] asks for them")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  return [o](Console& console) { return run_doctor(*o, console); };
}

Run declare_demo(CLI::App& app) {
  auto o = std::make_shared<DemoOptions>();
  app.add_flag("--quick", o->quick, "a short run; not the full accuracy");
  app.add_option("--data", o->data, "folder with bge_zh and zh_text")
      ->type_name("DIR");
  app.add_option("--folder", o->folder, "where the run is left")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--seed", o->seed, "of shuffling, dropout and the classifier")
      ->capture_default_str();
  add_device(app, o->device);
  return [o](Console& console) { return run_demo(*o, console); };
}

Run declare_convert(CLI::App& app) {
  auto o = std::make_shared<ConvertOptions>();
  app.add_option(
         "in", o->input, "safetensors, GGUF, ONNX, TF checkpoint or DIR")
      ->type_name("IN")
      ->required();
  app.add_option("out", o->output, "FILE.safetensors, FILE.gguf or a folder")
      ->type_name("OUT")
      ->required();
  app.add_option("--dtype", o->dtype, "of floats; default: as they are")
      ->check(CLI::IsMember({"f32", "f16", "bf16", "q8_0"}));
  app.add_option("--map",
                 o->map,
                 "names: bert-tf, bert-legacy, gguf-llama, onnx-modules or "
                 "none; default: what suits the file")
      ->type_name("NAME");
  app.add_option("--max-shard-size", o->max_shard_size, "of a folder's files")
      ->type_name("2GB")
      ->capture_default_str();
  return [o](Console& console) { return run_convert(*o, console); };
}

Run declare_inspect(CLI::App& app) {
  auto o = std::make_shared<InspectOptions>();
  app.add_option(
         "in", o->input, "safetensors, GGUF, ONNX, TF checkpoint or DIR")
      ->type_name("FILE|DIR")
      ->required();
  app.add_option("--tensor", o->tensors, "only this one; repeat it for several")
      ->type_name("NAME")
      ->take_all()
      ->expected(1);
  app.add_option("--map", o->map, "names as convert's --map gives them")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_flag("--no-statistics", o->no_statistics, "names and shapes alone");
  return [o](Console& console) { return run_inspect(*o, console); };
}

Run declare_report(CLI::App& app) {
  auto o = std::make_shared<ReportOptions>();
  app.add_option("folders", o->folders, "a run, or up to 8 to compare")
      ->type_name("RUN")
      ->expected(1, 8)
      ->required();
  app.add_option("--output",
                 o->output,
                 "of several runs; default: report.html beside the first")
      ->type_name("FILE.html");
  return [o](Console& console) { return run_report(*o, console); };
}

Run declare_runs(CLI::App& app) {
  using Action = RunsOptions::Action;
  auto o = std::make_shared<RunsOptions>();
  app.require_subcommand(1);
  app.add_option("--registry", o->registry, "SQLite file of all runs")
      ->type_name("FILE")
      ->capture_default_str();
  const auto add = [&](const char* name, const char* about, Action action) {
    auto* sub = app.add_subcommand(name, about)->fallthrough();
    sub->callback([o, action] { o->action = action; });
    return sub;
  };
  auto* list = add("list", "What was trained, newest first", Action::kList);
  list->add_option("--where", o->where, "only runs with, as dev.accuracy>0.85")
      ->type_name("CONDITION")
      ->take_all()
      ->expected(1);
  list->add_option("--sort", o->sort, "a setting, a metric, steps, ...")
      ->type_name("KEY")
      ->capture_default_str();
  list->add_flag("--ascending", o->ascending, "least first");
  list->add_option("--limit", o->limit, "rows; 0: all")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  add("show", "Settings and figures of a run", Action::kShow)
      ->add_option("run", o->runs, "id, name or folder")
      ->type_name("RUN")
      ->expected(1)
      ->required();
  add("compare", "Where settings differ, and what came out", Action::kCompare)
      ->add_option("runs", o->runs, "two or more")
      ->type_name("RUN")
      ->expected(2, 64)
      ->required();
  add("rebuild", "Make the registry again, from the runs", Action::kRebuild)
      ->add_option("folders", o->runs, "look there, too")
      ->type_name("DIR");
  return [o](Console& console) { return run_runs(*o, console); };
}

Run declare_bench(CLI::App& app) {
  auto o = std::make_shared<BenchCommandOptions>();
  app.add_option("work", o->work, "what to run; none: list them")
      ->type_name("NAME");
  app.add_option("--sizes", o->sizes, "in place of the work's own")
      ->type_name("L=4,H=256,...");
  app.add_option("--dtype", o->dtype, "arithmetic of products")
      ->check(CLI::IsMember({"f32", "bf16", "fp16"}))
      ->capture_default_str();
  app.add_option("--steps", o->steps, "measured steps")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_flag("--describe", o->describe, "names and shapes, without running");
  app.add_option("--load", o->load, "start values of parameters and inputs")
      ->type_name("FILE.safetensors");
  app.add_option("--save", o->save, "write the start values there")
      ->type_name("FILE.safetensors");
  app.add_flag("--no-cache", o->no_cache, "compile even what is cached");
  app.add_flag("--serve", o->serve, "run as many steps as each line asks for");
  add_device(app, o->device);
  return [o](Console& console) { return run_bench(*o, console); };
}

Run declare_profile(CLI::App& app) {
  auto o = std::make_shared<ProfileOptions>();
  app.add_option("subject", o->subject, "a work of bench, or a CONFIG.toml")
      ->type_name("NAME|CONFIG.toml")
      ->required();
  app.add_option("--sizes", o->sizes, "in place of the work's own")
      ->type_name("L=4,H=256,...");
  app.add_option("--dtype", o->dtype, "arithmetic of products")
      ->check(CLI::IsMember({"f32", "bf16", "fp16"}))
      ->capture_default_str();
  app.add_option("--repeats", o->repeats, "runs; the least time of each counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--page", o->page, "write the tables as a page, too")
      ->type_name("FILE.html");
  add_device(app, o->device);
  return [o](Console& console) { return run_profile(*o, console); };
}

Run declare_abc(CLI::App& app) {
  auto o = std::make_shared<AbcOptions>();
  app.add_option("numbers", o->numbers, "of any size")->type_name("N...");
  app.add_flag("--all", o->all, "every optimum");
  app.add_option("--table", o->table, "rows N,S,a,b,c,excess")
      ->type_name("LO:HI");
  app.add_option("--method", o->method, "how it is found")
      ->check(CLI::IsMember(
          {"auto", "pruned", "sumdiff", "parity", "sqrt", "article"}))
      ->capture_default_str();
  app.add_flag("--counts", o->counts, "candidates of each method");
  app.add_flag("--yes", o->yes, "even with more than 10^9 candidates");
  app.add_option("--plot", o->plot, "a page: candidates over N")
      ->type_name("FILE.html");
  app.add_option("--seed", o->seed, "of the plot's random numbers")
      ->capture_default_str();
  return [o](Console& console) { return run_abc(*o, console); };
}

void add_colouring_subject(CLI::App& app, ColouringOptions& o) {
  app.add_option("figure", o.figure, "segments, cells, rules; docs/science.md")
      ->type_name("FIGURE.json");
  app.add_option("--preset", o.preset, "a figure that is known")
      ->check(CLI::IsMember({"cross"}));
  app.add_option("--chain", o.chain, "squares in a row, up to 10^18")
      ->check(CLI::PositiveNumber);
  app.add_option("--ring", o.ring, "squares in a ring, up to 10^18")
      ->check(CLI::PositiveNumber);
  app.add_option("--grid", o.grid, "a block of squares")
      ->type_name("ROWSxCOLUMNS");
  app.add_option("--rule", o.rule, "of a chain's, ring's, grid's neighbours")
      ->check(CLI::IsMember({"none",
                             "all_different",
                             "neighbours_different",
                             "not_all_equal",
                             "all_equal",
                             "ends_equal",
                             "exactly_two_values"}))
      ->capture_default_str();
  app.add_option("--window", o.window, "squares in a row that the rule binds")
      ->check(CLI::Range(2, 16))
      ->capture_default_str();
  app.add_option("--cell-rule", o.cell_rule, "default: two_one_one")
      ->check(
          CLI::IsMember({"two_one_one", "strict_plurality", "at_least_three"}));
  app.add_option("--colours", o.colours, "default: the figure's, or 3")
      ->check(CLI::Range(1, 16));
}

Run declare_colourings(CLI::App& app) {
  auto o = std::make_shared<ColouringOptions>();
  add_colouring_subject(app, *o);
  app.add_option("--modulo", o->modulo, "the remainder, not the count")
      ->check(CLI::PositiveNumber);
  app.add_option("--engine", o->engine, "how it is counted")
      ->check(CLI::IsMember({"all", "enumerate", "eliminate", "transfer"}))
      ->capture_default_str();
  app.add_option("--sample", o->sample, "random valid colourings")
      ->check(CLI::PositiveNumber);
  app.add_option("--list", o->list, "different valid colourings")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", o->seed, "of --sample")->capture_default_str();
  app.add_option("--orbits", o->orbits, "also count up to symmetry")
      ->check(CLI::IsMember({"segments", "colours", "both"}));
  app.add_option("--picture", o->picture, "draw what was sampled or listed")
      ->type_name("FILE.svg|FILE.html");
  return [o](Console& console) { return run_colourings(*o, console); };
}

Run declare_hot_water(CLI::App& app) {
  auto o = std::make_shared<HotWaterOptions>();
  app.add_option("scenario", o->scenario, "default: the built-in example")
      ->type_name("SCENARIO.toml");
  app.add_option("--scheme", o->schemes, "in place of the file's; repeat it")
      ->type_name("N|R1|R1T|R1B|R2|R3|R4|C1|C2|C3|D|H|B")
      ->take_all()
      ->expected(1);
  app.add_option("--page", o->page, "tables and plots as a page, too")
      ->type_name("FILE.html");
  app.add_option("--sweep", o->sweep, "a quantity at several values")
      ->type_name("home.length=\"5 m:30 m:6\"");
  app.add_flag("--example", o->example, "print the example, to start from");
  app.add_option("--preset",
                 o->preset,
                 "print a scenario for this scheme, to start from")
      ->type_name("SCHEME");
  return [o](Console& console) { return run_hot_water(*o, console); };
}

Run declare_recipe(CLI::App& app) {
  auto o = std::make_shared<RecipeOptions>();
  app.add_option("action", o->action, "list all, show one, or run it")
      ->type_name("list|show|run")
      ->check(CLI::IsMember({"list", "show", "run"}))
      ->required();
  app.add_option("name", o->name, "of the recipe")->type_name("NAME");
  app.add_flag("--quick", o->quick, "a smaller run");
  app.add_option("--seed", o->seed, "of everything random")
      ->capture_default_str();
  app.add_option("--seeds", o->seeds, "runs, with SEED, SEED + 1, ...")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--folder",
                 o->folder,
                 "where the page and files are left; "
                 "default: runs/recipe-NAME")
      ->type_name("DIR");
  add_device(app, o->device);
  return [o](Console& console) { return run_recipe(*o, console); };
}

Run declare_first_step(CLI::App& app) {
  auto o = std::make_shared<FirstStepOptions>();
  app.add_option("config", o->config)->required();
  add_device(app, o->device);
  return [o](Console& console) { return run_first_step(*o, console); };
}

// These two read the finished table, so that it is the only one.
Run declare_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "that loads the script")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  return [shell, &app](Console& console) {
    const CommandPage page = describe(*app.get_parent());
    console.print(*shell == "bash"  ? bash_completion(page)
                  : *shell == "zsh" ? zsh_completion(page)
                                    : fish_completion(page));
    return 0;
  };
}

Run declare_man(CLI::App& app) {
  return [&app](Console& console) {
    console.print(manual(describe(*app.get_parent()), kVersion));
    return 0;
  };
}

// A command without a description is not listed.
constexpr std::array kCommands = {
    Command{"train",
            "Fine-tune a text classifier as a TOML file says",
            "kexue train examples/zh_sentiment.toml --set train.epochs=1",
            declare_train},
    Command{"eval",
            "Loss and metrics of a trained model on a labelled file",
            "kexue eval --model runs/demo/model --data test.tsv --json",
            declare_eval},
    Command{"predict",
            "Label and probability of each line of text",
            "echo TEXT | kexue predict --model runs/demo/model",
            declare_predict},
    Command{"tokenize",
            "WordPiece ids as JSON lines {text, ids, tokens}",
            "echo TEXT | kexue tokenize --model .cache/kexue/data/bge_zh",
            declare_tokenize},
    Command{"wordfreq",
            "Count the words of files, folders and streams",
            "kexue wordfreq corpus/ --tokenizer jieba --top 50",
            declare_wordfreq},
    Command{"embed",
            "Unit vectors as JSON lines {text, embedding}",
            "kexue embed --model .cache/kexue/data/minilm --pooling mean "
            "--input lines.txt",
            declare_embed},
    Command{"rerank",
            "Scores of pairs as JSON lines {query, passage, logit}",
            "kexue rerank --model .cache/kexue/data/reranker/reranker_en "
            "--input pairs.tsv",
            declare_rerank},
    Command{"doctor",
            "Plugin, devices, processor, flags, cache, versions",
            "kexue doctor --json",
            declare_doctor},
    Command{"demo",
            "Fine-tune a Chinese BERT on reviews, and measure it",
            "kexue demo --quick",
            declare_demo},
    Command{"report",
            "Make report.html of a run again, from its metrics",
            "kexue report runs/demo",
            declare_report},
    Command{"runs",
            "List, show and compare runs",
            "kexue runs list --where 'dev.accuracy>0.85' --sort dev.loss",
            declare_runs},
    Command{"convert",
            "Weights from one file format to another",
            "kexue convert model.onnx model.safetensors",
            declare_convert},
    Command{"inspect",
            "Tensors of a file: shapes, dtypes, statistics, NaN and Inf",
            "kexue inspect model.gguf --tensor output_norm.weight",
            declare_inspect},
    Command{"bench",
            "Time a whole job: a training step, an encoder, an optimizer",
            "kexue bench bert-train --dtype bf16 --steps 10 --json",
            declare_bench},
    Command{"profile",
            "Where the time of a step goes: by scope, by op",
            "kexue profile bert-train --dtype bf16 --page profile.html",
            declare_profile},
    Command{"abc",
            "The least a + b + c with N = ab + c, exact for any N",
            "kexue abc 130 2023 --all",
            declare_abc},
    Command{"colourings",
            "Exact counts of coloured figures, by three engines",
            "kexue colourings --preset cross",
            declare_colourings},
    Command{"hot-water",
            "Schemes for hot water at a distant tap: waiting, water, energy",
            "kexue hot-water --scheme N --scheme R3",
            declare_hot_water},
    Command{"recipe",
            "The methods, each with the numbers that it must reach",
            "kexue recipe run ab-plus-c --quick",
            declare_recipe},
    Command{"completion",
            "A script with which a shell completes commands and options",
            "source <(kexue completion bash)",
            declare_completion},
    Command{"man",
            "This program's manual page, in roff",
            "kexue man | man -l -",
            declare_man},
    Command{"first-step", "", "", declare_first_step},
};

}  // namespace

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  return names;
}

int run_command(const std::vector<std::string>& words, Console& console) {
  CLI::App app("Train and run Transformers: whole steps as XLA programs.",
               "kexue");
  app.set_version_flag("--version", std::string("kexue ") + kVersion);
  app.require_subcommand(1);
  app.footer(
      "kexue COMMAND --help shows the options and an example.\n"
      "Exit status: 0; 1 a recipe missed a number; 2 wrong use or missing "
      "file; 3 broken data or "
      "disk; 4 device; 70 our bug; 130 interrupted.");
  Run chosen;
  bool ignored = false;  // Console knows it
  for (const Command& command : kCommands) {
    CLI::App* sub = app.add_subcommand(command.name, command.about);
    const Run action = command.declare(*sub);
    sub->add_flag("--json", ignored, "results as JSON, for programs");
    sub->footer(std::string("Example:\n  ") + command.example);
    if (*command.about == '\0') sub->group("");
    sub->callback([&chosen, action] { chosen = action; });
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::Success& e) {
    // --help, --version: e.what() names the kind, the text is the app's.
    std::ostringstream text;
    app.exit(e, text, text);
    console.print(text.str());
    return 0;
  } catch (const CLI::ParseError& e) {
    const std::string command =
        app.get_subcommands().empty()
            ? ""
            : " " + app.get_subcommands().front()->get_name();
    throw Error(Code::kInvalidArgument,
                e.what(),
                "kexue" + command + " --help shows the options");
  }
  return chosen(console);
}

}  // namespace kexue::cli
