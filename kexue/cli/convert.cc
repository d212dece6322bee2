// kexue convert: weights from one format to another.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/cli/watched_source.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/gguf.h"
#include "kexue/io/json.h"
#include "kexue/io/model_weights.h"
#include "kexue/io/weight_map.h"
#include "kexue/io/weights_writer.h"

namespace kexue::cli {
namespace {

using io::SourcePtr;

// What belongs to a model beside its weights.
constexpr std::array kModelFiles = {"config.json",
                                    "generation_config.json",
                                    "tokenizer.json",
                                    "tokenizer_config.json",
                                    "special_tokens_map.json",
                                    "added_tokens.json",
                                    "vocab.txt",
                                    "vocab.json",
                                    "merges.txt",
                                    "tokenizer.model",
                                    "modules.json"};
constexpr uint64_t kModelFileBytes = io::limits::kJsonBytes;
constexpr const char* kBertConfig = "bert_config.json";  // TensorFlow's

bool ends_with_any(const std::string& path,
                   std::initializer_list<std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(), [&](std::string_view end) {
    return path.size() > end.size() && path.ends_with(end);
  });
}

// "2GB", "500MB", "1024": decimal units, as other programs use them.
uint64_t bytes_from_text(const std::string& text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  uint64_t scale = 0;
  if (unit.empty()) scale = 1;
  if (unit == "KB") scale = 1'000;
  if (unit == "MB") scale = 1'000'000;
  if (unit == "GB") scale = 1'000'000'000;
  uint64_t bytes = 0;
  if (error != std::errc() || scale == 0 || value == 0 ||
      __builtin_mul_overflow(value, scale, &bytes)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("--max-shard-size \"{}\"", text),
                "a number with KB, MB or GB, as in 2GB");
  }
  return bytes;
}

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

SourcePtr with_dtype(SourcePtr source, const std::string& dtype) {
  if (dtype.empty() || dtype == "q8_0") return source;
  return io::with_float_dtype(std::move(source), *dtype_from_name(dtype));
}

// The tensors that can be read; the others are told about.
SourcePtr readable(SourcePtr source, Console& console) {
  std::vector<size_t> keep;
  for (size_t i = 0; i < source->tensors().size(); ++i) {
    const auto& t = source->tensors()[i];
    if (t.dtype) {
      keep.push_back(i);
    } else {
      console.note(fmt::format(
          "kexue: left out {}: {} is not supported", t.name, t.stored));
    }
  }
  if (keep.size() == source->tensors().size()) return source;
  return std::make_shared<ChosenSource>(std::move(source), std::move(keep));
}

// The values of a GGUF file that is written again; else what names it.
std::map<std::string, io::GgufValue> gguf_values(const io::TensorSource& in) {
  if (const auto* file = dynamic_cast<const io::Gguf*>(&in)) {
    return file->values();
  }
  io::GgufValue kind;
  kind.type = io::GgufType::kString;
  kind.texts = {"unknown"};
  return {{"general.architecture", std::move(kind)}};
}

// bert_config.json with the model type that Hugging Face wants to know.
void write_bert_config(const std::string& from, const std::string& to) {
  nlohmann::json config = io::parse_json_file(from);
  if (!config.is_object()) {
    throw Error(Code::kCorruptData, from + ": must be a JSON object");
  }
  if (!config.contains("model_type")) config["model_type"] = "bert";
  io::write_file(to, config.dump(2) + "\n");
}

// Copies config and tokenizer from beside the input. Returns their names.
std::vector<std::string> copy_model_files(const std::string& in,
                                          const std::string& out) {
  const std::string from = is_folder(in) ? in : io::parent_folder(in);
  std::vector<std::string> copied;
  std::error_code ignored;
  if (std::filesystem::equivalent(from, out, ignored)) return copied;
  for (const char* name : kModelFiles) {
    const std::string path = from + "/" + name;
    if (!exists(path)) continue;
    io::write_file(out + "/" + name, io::read_file(path, kModelFileBytes));
    copied.emplace_back(name);
  }
  const bool has_config = exists(from + "/config.json");
  if (!has_config && exists(from + "/" + kBertConfig)) {
    write_bert_config(from + "/" + kBertConfig, out + "/config.json");
    copied.emplace_back("config.json");
  }
  return copied;
}

void make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0 || is_folder(path)) return;
  throw io::os_error("mkdir", path, -errno);
}

struct Written {
  std::string format;
  std::vector<std::string> files;
};

Written write(const ConvertOptions& options,
              const io::TensorSource& original,
              const io::TensorSource& source) {
  const std::string& out = options.output;
  const bool q8 = options.dtype == "q8_0";
  if (ends_with_any(out, {".gguf"})) {
    io::save_gguf(out,
                  source,
                  gguf_values(original),
                  q8 ? io::GgufFloats::kQ8_0 : io::GgufFloats::kAsTheyAre);
    return {"gguf", {out}};
  }
  if (q8) {
    throw Error(Code::kInvalidArgument,
                "--dtype q8_0 is for files called *.gguf");
  }
  const std::map<std::string, std::string> metadata = {{"format", "pt"}};
  if (ends_with_any(out, {".safetensors"})) {
    io::save_safetensors(out, source, metadata);
    return {"safetensors", {out}};
  }
  if (ends_with_any(out, {".onnx", ".bin", ".pt", ".index", ".ckpt", ".h5"})) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: cannot be written", out),
                "OUT is FILE.safetensors, FILE.gguf or a folder");
  }
  make_folder(out);
  const uint64_t limit = bytes_from_text(options.max_shard_size);
  Written written{"folder", {}};
  for (const auto& name :
       io::save_safetensors_folder(out, source, limit, metadata)) {
    written.files.push_back(out + "/" + name);
  }
  for (const auto& name : copy_model_files(options.input, out)) {
    written.files.push_back(out + "/" + name);
  }
  return written;
}

uint64_t bytes_of(const io::TensorSource& source) {
  uint64_t total = 0;
  for (const auto& t : source.tensors()) {
    total += static_cast<uint64_t>(TensorType{*t.dtype, t.shape}.bytes());
  }
  return total;
}

}  // namespace

int run_convert(const ConvertOptions& options, Console& console) {
  bytes_from_text(options.max_shard_size);  // before any work
  std::error_code ignored;
  if (std::filesystem::equivalent(options.input, options.output, ignored) &&
      !is_folder(options.input)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{} is both IN and OUT", options.input));
  }
  const SourcePtr original = io::open_tensors(options.input, io::Access::kMap);
  const std::string map =
      options.map.empty() ? io::default_weight_map(*original) : options.map;
  SourcePtr source = io::with_weight_names(original, map);
  source = with_dtype(readable(std::move(source), console), options.dtype);
  TaskBar bar(console);
  const Written written = write(options, *original, WatchedSource(source, bar));
  bar.end();
  if (console.json()) {
    nlohmann::ordered_json document;
    document["input"] = options.input;
    document["input_format"] = original->format();
    document["map"] = map;
    document["output_format"] = written.format;
    document["files"] = written.files;
    document["tensors"] = source->tensors().size();
    document["bytes"] = bytes_of(*source);
    console.print_line(document.dump());
    return 0;
  }
  console.print_line(fmt::format("{} tensors of {} ({}), names: {}",
                                 source->tensors().size(),
                                 options.input,
                                 original->format(),
                                 map));
  for (const auto& file : written.files) console.print_line("  " + file);
  return 0;
}

}  // namespace kexue::cli
