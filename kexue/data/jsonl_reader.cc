// One JSON object a line.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "kexue/base/error.h"
#include "kexue/data/line_reader.h"
#include "kexue/data/row_reader.h"
#include "kexue/io/json.h"
#include "kexue/io/printable.h"

namespace kexue::data::detail {
namespace {

using nlohmann::json;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// A label as text; nullopt for null, lists and objects.
std::optional<std::string> label_text(const json& v) {
  if (v.is_string()) return v.get<std::string>();
  if (v.is_boolean()) return v.get<bool>() ? "true" : "false";
  if (v.is_number_unsigned()) return fmt::format("{}", v.get<uint64_t>());
  if (v.is_number_integer()) return fmt::format("{}", v.get<int64_t>());
  if (v.is_number()) return fmt::format("{}", v.get<double>());
  return std::nullopt;
}

class JsonlReader final : public RowReader {
 public:
  JsonlReader(const std::string& path,
              const ReadOptions& options,
              io::FileSystem& fs)
      : RowReader(path), lines_(path, fs), options_(options) {
    if (options.columns.label < 0) options_.labels = Labels::kNone;
  }

  Result next(Row* row) override {
    std::string_view line;
    do {
      if (!lines_.next(&line)) return Result::kEnd;
    } while (std::all_of(line.begin(), line.end(), is_space));
    refuse_nul(line);
    json object;
    try {
      object =
          io::parse_json(line, where(), {.max_bytes = io::limits::kLineBytes});
    } catch (const Error& e) {
      if (e.code() != Code::kCorruptData) throw;
      return bad(&SkipCounts::malformed, after_where(e.text()));
    }
    if (!object.is_object()) {
      return bad(&SkipCounts::malformed, "wanted an object");
    }
    const bool pairs = !options_.columns.second_text_field.empty();
    if (!take(object, options_.columns.text_field, &text_) ||
        (pairs &&
         !take(object, options_.columns.second_text_field, &second_)) ||
        (options_.labels != Labels::kNone && !take_label(object))) {
      return Result::kBad;
    }
    *row = {text_, second_, label_};
    return check(*row, pairs);
  }

  int64_t line() const override { return lines_.number(); }

 private:
  // The caller puts the line in front again.
  std::string after_where(const std::string& text) const {
    const std::string prefix = where() + ": ";
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  }

  bool take(const json& object, const std::string& key, std::string* out) {
    const auto it = object.find(key);
    if (it == object.end() || !it->is_string()) {
      bad(&SkipCounts::missing_column,
          fmt::format("no text under \"{}\"", io::printable(key)));
      return false;
    }
    *out = it->get<std::string>();
    refuse_nul(*out);  // written as \u0000
    return true;
  }

  bool take_label(const json& object) {
    const auto it = object.find(options_.columns.label_field);
    auto label = it == object.end() ? std::nullopt : label_text(*it);
    if (!label) {
      bad(&SkipCounts::missing_column,
          fmt::format("no label under \"{}\"",
                      io::printable(options_.columns.label_field)));
      return false;
    }
    label_ = std::move(*label);
    refuse_nul(label_);
    return true;
  }

  LineReader lines_;
  ReadOptions options_;
  std::string text_, second_, label_;
};

}  // namespace

std::unique_ptr<RowReader> open_jsonl(const std::string& path,
                                      const ReadOptions& options,
                                      io::FileSystem& fs) {
  return std::make_unique<JsonlReader>(path, options, fs);
}

}  // namespace kexue::data::detail
