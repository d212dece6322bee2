#include "kexue/io/json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>
#include <vector>

#include "kexue/io/atomic_file.h"
#include "kexue/io/printable.h"

namespace kexue::io {
namespace {

using nlohmann::json;

// Each handler returns false to stop; the reason is then in `error`.
class Checker final : public json::json_sax_t {
 public:
  Checker(const std::string& where, const JsonLimits& limits)
      : where_(where), limits_(limits) {}

  std::optional<Error> error;

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override {
    return value();
  }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }

  bool start_object(std::size_t) override { return value() && open(); }
  bool start_array(std::size_t) override { return value() && open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return value();
    return stop(Code::kCorruptData,
                fmt::format("key \"{}\" twice", printable(name)));
  }
  bool parse_error(std::size_t position,
                   const std::string&,
                   const json::exception& e) override {
    return stop(Code::kCorruptData,
                fmt::format("byte {}: {}", position, ascii(e.what())));
  }

 private:
  bool stop(Code code, const std::string& text) {
    error.emplace(code, where_ + ": " + text);
    return false;
  }
  bool value() {
    if (++values_ <= limits_.max_values) return true;
    return stop(Code::kUnsupported,
                fmt::format("more than {} values", limits_.max_values));
  }
  bool open() {
    keys_.emplace_back();
    if (keys_.size() <= limits_.max_depth) return true;
    return stop(Code::kUnsupported,
                fmt::format("nested deeper than {}", limits_.max_depth));
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  const std::string& where_;
  const JsonLimits& limits_;
  uint64_t values_ = 0;
  std::vector<std::unordered_set<std::string>> keys_;
};

}  // namespace

json parse_json(std::string_view text,
                const std::string& where,
                const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: {} bytes, the limit is {}",
                            where,
                            text.size(),
                            limits.max_bytes));
  }
  Checker checker(where, limits);
  if (!json::sax_parse(text.begin(), text.end(), &checker)) {
    throw *checker.error;
  }
  return json::parse(text.begin(), text.end());
}

json parse_json_file(const std::string& path,
                     const JsonLimits& limits,
                     FileSystem& fs) {
  return parse_json(read_file(path, limits.max_bytes, fs), path, limits);
}

}  // namespace kexue::io
