#include "kexue/train/config.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>
#include <string_view>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "kexue/models/bert.h"
#include "kexue/train/detail/config_keys.h"
#include "kexue/train/make_optimizer.h"

namespace kexue::train {
namespace detail {

void Check::operator()(const char* section,
                       const char* key,
                       const std::string& value,
                       Text kind) const {
  if (kind == Text::kNeeded && value.empty()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}{}.{} must be given", where_, section, key));
  }
  if (value.find('\0') != std::string::npos) {
    fail(section, key, "text without NUL bytes", io::printable(value));
  }
  try {
    if (kind == Text::kPrecision) precision_from_name(value);
    if (kind == Text::kLossScale) loss_scale_from_name(value);
    if (kind == Text::kClassWeights) class_weights_from_text(value);
  } catch (const Error& e) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}{}.{}: {}", where_, section, key, e.text()),
                e.hint());
  }
}

void Check::operator()(const char* section,
                       const char* key,
                       const std::string& value,
                       const Names& names) const {
  std::string wanted;
  for (const char* name : names) {
    if (value == name) return;
    const bool last = name == names.back();
    wanted += wanted.empty() ? "" : last ? " or " : ", ";
    wanted += name;
  }
  fail(section, key, wanted, '"' + io::printable(value) + '"');
}

void Check::operator()(const char* section,
                       const char* key,
                       int64_t value,
                       Whole limit) const {
  if (value >= limit.low && value <= limit.high) return;
  fail(section,
       key,
       fmt::format("an integer in {}..{}", limit.low, limit.high),
       fmt::format("{}", value));
}

void Check::operator()(const char* section,
                       const char* key,
                       double value,
                       Real limit) const {
  const bool low = limit.open_low ? value > limit.low : value >= limit.low;
  const bool high = limit.open_high ? value < limit.high : value <= limit.high;
  if (low && high) return;
  fail(section,
       key,
       fmt::format("a number in {}{}, {}{}",
                   limit.open_low ? '(' : '[',
                   limit.low,
                   limit.high,
                   limit.open_high ? ')' : ']'),
       fmt::format("{}", value));
}

void Check::operator()(const char* section,
                       const char* key,
                       uint64_t value,
                       bool) const {
  // TOML integers have 63 bits.
  if (value > static_cast<uint64_t>(INT64_MAX)) {
    fail(section, key, "below 2^63", fmt::format("{}", value));
  }
}

void Check::fail(const char* section,
                 const char* key,
                 const std::string& wanted,
                 const std::string& got) const {
  throw Error(
      Code::kInvalidArgument,
      fmt::format(
          "{}{}.{} must be {}, got {}", where_, section, key, wanted, got));
}

namespace {

void check_model(const RunConfig& c, const std::string& where) {
  const bool sizes = c.layers > 0 || c.hidden > 0 || c.heads > 0;
  if (c.model.empty() && !sizes) {
    throw Error(Code::kInvalidArgument,
                where + "model.model must be given",
                "or the sizes of a new model: model.layers, model.hidden, "
                "model.heads");
  }
  if (!c.model.empty() && sizes) {
    throw Error(Code::kInvalidArgument,
                where + "model.model is given, and sizes of a new model, too");
  }
  if (!sizes) return;
  if (c.layers == 0 || c.hidden == 0 || c.heads == 0 ||
      c.hidden % c.heads != 0) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("{}a new model needs model.layers, model.heads, and "
                    "model.hidden as a multiple of model.heads, got "
                    "{}, {}, {}",
                    where,
                    c.layers,
                    c.heads,
                    c.hidden));
  }
}

}  // namespace

void check_together(const RunConfig& c, const std::string& where) {
  if (c.patience > 0 && c.dev_file.empty()) {
    throw Error(Code::kInvalidArgument,
                where + "early_stop.patience needs data.dev_file");
  }
  check_model(c, where);
  const bool labelled = c.task != "masked_lm";
  if ((labelled && (c.columns.label == c.columns.text ||
                    c.columns.label == c.columns.second_text)) ||
      c.columns.text == c.columns.second_text) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}data.label_column, data.text_column and "
                            "data.second_text_column must differ, got {}, {}, "
                            "{}",
                            where,
                            c.columns.label,
                            c.columns.text,
                            c.columns.second_text));
  }
  if (c.batch_size % c.mesh_data != 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}mesh.data = {} does not divide train.batch_size "
                            "= {}",
                            where,
                            c.mesh_data,
                            c.batch_size),
                "every device gets as many rows of a batch");
  }
  if (c.mesh_zero == 2) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}mesh.zero must be 0, 1 or 3, got 2", where),
                "gradients do not outlive a step, so 2 would be 1");
  }
}

}  // namespace detail

namespace {

std::optional<double> positive_number(std::string_view text) {
  double x = 0;
  const char* end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, x);
  if (failed != std::errc{} || at != end || !(x > 0) ||
      !std::isfinite(static_cast<float>(x))) {
    return std::nullopt;
  }
  return x;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string toml_value(const std::string& x) {
  return quoted(x);
}
std::string toml_value(bool x) {
  return x ? "true" : "false";
}
std::string toml_value(int64_t x) {
  return fmt::format("{}", x);
}
std::string toml_value(uint64_t x) {
  return fmt::format("{}", x);
}
std::string toml_value(double x) {
  std::string text = fmt::format("{}", x);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string toml_value(const optim::NameList& x) {
  std::string out;
  for (const auto& name : x) out += (out.empty() ? "" : ", ") + quoted(name);
  return "[" + out + "]";
}
std::string toml_value(const optim::NumberTable& x) {
  std::string out;
  for (const auto& [key, value] : x) {
    out += fmt::format(
        "{}{} = {}", out.empty() ? "" : ", ", quoted(key), toml_value(value));
  }
  return "{" + out + "}";
}

}  // namespace

void check_run_config(const RunConfig& config) {
  detail::visit_keys(config, detail::Check(""));
  detail::check_together(config, "");
  make_optimizer(config);
}

std::string dated_run_folder(const std::string& name) {
  std::tm local{};
  const std::time_t now = std::time(nullptr);
  localtime_r(&now, &local);
  return fmt::format("runs/{}-{:%Y%m%d-%H%M%S}", name, local);
}

std::string to_toml(const RunConfig& config) {
  std::string out;
  std::string open;
  detail::visit_keys(
      config,
      [&](const char* section, const char* key, const auto& value, auto) {
        if (open != section) {
          out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
          open = section;
        }
        out += fmt::format("{} = {}\n", key, toml_value(value));
      });
  if (!config.optimizer.empty()) out += "\n[optimizer]\n";
  for (const auto& [key, option, where] : config.optimizer) {
    out += fmt::format(
        "{} = {}\n",
        key,
        std::visit([](const auto& x) { return toml_value(x); }, option));
  }
  return out;
}

Parallel parallel_of(const RunConfig& c) {
  Parallel p;
  if (c.mesh_data * c.mesh_model == 1) return p;
  p.mesh = Mesh{{"data", c.mesh_data}, {"model", c.mesh_model}};
  p.rules = models::bert_sharding(c.mesh_split_vocabulary);
  p.zero = c.mesh_zero == 0   ? Zero::kNone
           : c.mesh_zero == 1 ? Zero::kSlots
                              : Zero::kParams;
  return p;
}

DType precision_from_name(const std::string& name) {
  if (name == "f32") return DType::kF32;
  if (name == "bf16") return DType::kBF16;
  if (name == "fp16" || name == "f16") return DType::kF16;
  throw Error(Code::kInvalidArgument,
              fmt::format("precision must be f32, bf16 or fp16, got \"{}\"",
                          io::printable(name)));
}

std::vector<double> class_weights_from_text(const std::string& text) {
  if (text == "none" || text == "auto") return {};
  std::vector<double> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    std::string_view item = std::string_view(text).substr(at, comma - at);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    const auto weight = positive_number(item);
    if (!weight) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("class weights must be none, auto or positive "
                              "numbers, got \"{}\"",
                              io::printable(text)),
                  "as in [0.5, 2]");
    }
    out.push_back(*weight);
    at = comma + 1;
  }
  return out;
}

LossScale loss_scale_from_name(const std::string& text) {
  if (text == "none") return LossScale::none();
  if (text == "dynamic") return LossScale::dynamic();
  const auto scale = positive_number(text);
  if (!scale) {
    throw Error(Code::kInvalidArgument,
                fmt::format("loss scale must be none, dynamic or a positive "
                            "number, got \"{}\"",
                            io::printable(text)),
                "powers of two are exact: 1024, 65536");
  }
  return LossScale::fixed(*scale);
}

}  // namespace kexue::train
