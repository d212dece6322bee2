#include "kexue/cli/text_output.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "kexue/train/config.h"

namespace kexue::cli {

runtime::SessionOptions session_options(const DeviceOptions& options) {
  runtime::SessionOptions session;
  session.plugin = options.plugin;
  session.threads = static_cast<int>(options.threads);
  session.device_count = options.devices;
  return session;
}

runtime::Session open_session(const DeviceOptions& options, bool use_kernels) {
  runtime::SessionOptions session = session_options(options);
  session.use_kernels = use_kernels;
  return runtime::Session(session);
}

train::InferenceOptions inference_options(const TextOptions& options) {
  return {.compute = train::precision_from_name(options.precision),
          .batch_size = options.batch_size,
          .max_length = options.max_length};
}

void require_model_folder(const std::string& folder) {
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) return;
  throw Error(Code::kNotFound,
              fmt::format("--model {}: no such folder", folder),
              "a folder with config.json, model.safetensors and tokenizer.json "
              "or vocab.txt; ./dev fetch gets some");
}

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump();
}

std::string json_number(float value, const std::string& where) {
  if (!std::isfinite(value)) {
    throw Error(
        Code::kCorruptData,
        fmt::format("{}: the model gives {}, which is no number", where, value),
        "its weights hold NaN or infinity, or overflow in this "
        "precision: try f32");
  }
  return fmt::format("{:.9g}", value);
}

std::string json_numbers(std::span<const float> values,
                         const std::string& where) {
  std::string out = "[";
  for (const float v : values) {
    if (out.size() > 1) out += ", ";
    out += json_number(v, where);
  }
  return out + "]";
}

std::vector<std::string> texts_of(const std::vector<Line>& lines) {
  std::vector<std::string> out;
  out.reserve(lines.size());
  for (const Line& line : lines) out.push_back(line.text);
  return out;
}

void note_skipped(const LineReader& lines, Console& console) {
  if (lines.skipped() == 0) return;
  console.note(fmt::format("kexue: {}: {} bad line{} skipped",
                           lines.name(),
                           lines.skipped(),
                           lines.skipped() == 1 ? "" : "s"));
}

void note_truncated(const train::Inference& model, Console& console) {
  const int64_t count = model.report().truncated;
  if (count == 0) return;
  console.note(fmt::format(
      "kexue: {} text{} longer than the model's limit, cut at its end",
      count,
      count == 1 ? "" : "s"));
}

}  // namespace kexue::cli
