// A run folder as training writes it, with values that look like a run's.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "kexue/io/atomic_file.h"

namespace kexue::testing {

inline std::string step_line(int step, int total, double loss) {
  return fmt::format(
      R"({{"kind":"step","step":{},"total_steps":{},"epoch":{},"loss":{},)"
      R"("accuracy":{},"lr":{},"grad_norm":1.5,"scale":1.0,"skipped":false,)"
      R"("tokens":900,"padded_tokens":1000,"step_s":0.5,"input_s":0.001,)"
      R"("compile_s":{}}})"
      "\n",
      step,
      total,
      step > total / 2 ? 1 : 0,
      loss,
      1 - loss / 2,
      5e-5 * step / total,
      step == 1 ? 4.0 : 0.0);
}

inline std::string eval_line(const std::string& split,
                             int step,
                             double accuracy) {
  return fmt::format(
      R"({{"kind":"eval","split":"{}","step":{},"loss":0.3,"accuracy":{},)"
      R"("rows":1762,"seconds":20.5}})"
      "\n",
      split,
      step,
      accuracy);
}

inline std::string done_line(int steps) {
  return fmt::format(
      R"({{"kind":"done","folder":"runs/x","evals":[],"steps":{},)"
      R"("train_s":754.0,"compile_s":6.0,"first_step_s":5.2,"step_s":{},)"
      R"("input_s":{},"tokens_per_s":1796.4,"padding_share":0.1,)"
      R"("programs":8,"from_cache":3,"interrupted":false}})"
      "\n",
      steps,
      0.5 * steps,
      0.001 * steps);
}

// With what later versions add.
inline std::string rich_step_line(int step, int total, double loss) {
  std::string line = step_line(step, total, loss);
  return line.substr(0, line.rfind('}')) +
         fmt::format(
             R"(,"grad_norms":{{"embedding":0.5,"attention":{},"ffn":1.0,)"
             R"("norm":0.01,"head":2.5}},"rss_bytes":{}}})"
             "\n",
             1.0 / step,
             800000000 + step * 1000000);
}

// As the file of a split of 100 rows; `name` is the first class.
inline std::string predictions_json(const std::string& split,
                                    const std::string& name) {
  return fmt::format(
      R"({{"split":"{}","step":40,"rows":100,"not_finite":1,)"
      R"("classes":["{}","good"],"confusion":[40,10,5,45],)"
      R"("calibration":[{{"rows":30,"confidence":0.6,"accuracy":0.5}},)"
      R"({{"rows":70,"confidence":0.95,"accuracy":1.0}}],)"
      R"("calibration_error":0.065,"scatter":[],"wrong":[{{"row":7,)"
      R"("truth":0,"predicted":1,"probability":0.99,"text":"{} wrong"}}],)"
      R"("right":[{{"row":8,"truth":1,"predicted":1,"probability":0.9,)"
      R"("text":"fine"}}]}})"
      "\n",
      split,
      name,
      name);
}

inline std::string run_lines(int steps) {
  std::string out;
  for (int s = 1; s <= steps; ++s) {
    out += step_line(s, steps, 0.2 + 0.5 * std::exp(-5.0 * s / steps));
  }
  return out + eval_line("dev", steps, 0.8786) +
         eval_line("test", steps, 0.8774) + done_line(steps);
}

inline const char* kConfig =
    "[model]\nmodel = \"models/bge\"\n\n[train]\nlr = 5e-05\n"
    "precision = \"bf16\"\nseed = 42\n";
inline const char* kEnvironment =
    R"({"kexue": "0.1.0", "plugin": {"path": "/opt/plugin.so", "api": "0.103"},
    "platform": "cpu", "cpu_features": ["avx512f", "amx_bf16"],
    "flags": {"xla_fast": true}, "kernels": ["matmul"]})";

inline void write_run(const std::string& folder, const std::string& metrics) {
  io::write_file(folder + "/metrics.jsonl", std::string_view(metrics));
  io::write_file(folder + "/config.toml", std::string_view(kConfig));
  io::write_file(folder + "/environment.json", std::string_view(kEnvironment));
}

inline std::string read_page(const std::string& folder) {
  return io::read_file(folder + "/report.html", 1 << 26);
}

}  // namespace kexue::testing
