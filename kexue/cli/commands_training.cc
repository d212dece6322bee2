#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "kexue/cli/command_group.h"
#include "kexue/cli/commands.h"
#include "kexue/cli/console.h"

namespace kexue::cli {
namespace {

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
  app.add_option(
         "--label-field", o.columns.label_field, "key, or name of a column")
      ->capture_default_str();
  app.add_option(
         "--text-field", o.columns.text_field, "key, or name of a column")
      ->capture_default_str();
  app.add_option(
      "--second-text-field", o.columns.second_text_field, "default: none");
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
  app.add_option("--label-column", o->columns.label, "from 0")
      ->check(CLI::Range(0, 4095))
      ->capture_default_str();
  app.add_option("--text-column", o->columns.text, "from 0")
      ->check(CLI::Range(0, 4095))
      ->capture_default_str();
  app.add_option("--second-text-column", o->columns.second_text, "-1: none")
      ->check(CLI::Range(-1, 4095))
      ->capture_default_str();
  app.add_flag("--header",
               o->columns.header,
               "TSV and CSV: the first row names the columns");
  add_eval_fields(app, *o);
  return [o](Console& console) { return run_eval(*o, console); };
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

constexpr std::array kCommands = {
    Command{"train",
            "Train or fine-tune a text model as a TOML file says",
            "kexue train examples/zh_sentiment.toml --set train.epochs=1",
            declare_train},
    Command{"eval",
            "Loss and metrics of a trained model on a labelled file",
            "kexue eval --model runs/demo/model --data test.tsv --json",
            declare_eval},
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
};

}  // namespace

CommandGroup training_commands() {
  return {"Training", kCommands};
}

}  // namespace kexue::cli
