#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "kexue/cli/command_group.h"
#include "kexue/cli/commands.h"
#include "kexue/cli/console.h"
#include "kexue/cli/program_page.h"
#include "kexue/cli/version.h"

namespace kexue::cli {
namespace {

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
  app.add_option("--dtype",
                 o->dtype,
                 "arithmetic of products; default: the config's, or f32")
      ->check(CLI::IsMember({"f32", "bf16", "fp16"}));
  app.add_option("--repeats", o->repeats, "runs; the least time of each counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--page", o->page, "write the tables as a page, too")
      ->type_name("FILE.html");
  add_device(app, o->device);
  return [o](Console& console) { return run_profile(*o, console); };
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

// One without a description is not listed.
constexpr std::array kCommands = {
    Command{"convert",
            "Weights from one file format to another",
            "kexue convert model.onnx model.safetensors",
            declare_convert},
    Command{"inspect",
            "Tensors of a file: shapes, dtypes, statistics, NaN and Inf",
            "kexue inspect model.gguf --tensor output_norm.weight",
            declare_inspect},
    Command{"doctor",
            "Plugin, devices, processor, flags, cache, versions",
            "kexue doctor --json",
            declare_doctor},
    Command{"bench",
            "Time a whole job: a training step, an encoder, an optimizer",
            "kexue bench bert-train --dtype bf16 --steps 10 --json",
            declare_bench},
    Command{"profile",
            "Where the time of a step goes: by scope, by op",
            "kexue profile bert-train --dtype bf16 --page profile.html",
            declare_profile},
    Command{"first-step", "", "", declare_first_step},
    Command{"completion",
            "A script with which a shell completes commands and options",
            "source <(kexue completion bash)",
            declare_completion},
    Command{"man",
            "This program's manual page, in roff",
            "kexue man | man -l -",
            declare_man},
};

}  // namespace

CommandGroup tool_commands() {
  return {"Files and machine", kCommands};
}

}  // namespace kexue::cli
