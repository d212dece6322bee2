#include "kexue/train/detail/progress.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"
#include "kexue/io/json.h"

namespace kexue::train::detail {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr uint64_t kLargest = uint64_t{1} << 53;

// Typed fields of one object.
class Fields final {
 public:
  Fields(const json& object, std::string where)
      : object_(object), where_(std::move(where)) {
    if (!object.is_object()) fail("wanted an object");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::kCorruptData, fmt::format("{}: {}", where_, what));
  }
  const json& value(const char* key) const {
    const auto it = object_.find(key);
    if (it == object_.end()) fail(fmt::format("no \"{}\"", key));
    return *it;
  }
  int64_t count(const char* key) const {
    const json& v = value(key);
    if (!v.is_number_unsigned() || v.get<uint64_t>() > kLargest) {
      fail(fmt::format("\"{}\" must be an integer in 0..2^53", key));
    }
    return static_cast<int64_t>(v.get<uint64_t>());
  }
  // JSON has no NaN: it was written as null.
  double number(const char* key) const { return number_of(key, value(key)); }
  double number_of(const char* key, const json& v) const {
    if (v.is_null()) return std::nan("");
    if (!v.is_number()) fail(fmt::format("\"{}\" must be a number", key));
    return v.get<double>();
  }
  std::string text(const char* key) const { return text_of(key, value(key)); }
  std::string text_of(const char* key, const json& v) const {
    if (!v.is_string()) fail(fmt::format("\"{}\" must be text", key));
    return v.get<std::string>();
  }
  const json& list(const char* key) const {
    const json& v = value(key);
    if (!v.is_array()) fail(fmt::format("\"{}\" must be a list", key));
    return v;
  }
  const std::string& where() const { return where_; }

 private:
  const json& object_;
  std::string where_;
};

ordered_json json_of(const EvalReport& r) {
  ordered_json metrics = ordered_json::array();
  for (const auto& [name, value] : r.metrics) {
    metrics.push_back(ordered_json::array({name, value}));
  }
  return {{"split", r.split},
          {"step", r.step},
          {"loss", r.loss},
          {"metrics", metrics},
          {"rows", r.rows},
          {"seconds", r.seconds}};
}

EvalReport eval_of(const json& object, const std::string& where) {
  const Fields f(object, where);
  EvalReport out;
  out.split = f.text("split");
  out.step = f.count("step");
  out.loss = f.number("loss");
  for (const json& pair : f.list("metrics")) {
    if (!pair.is_array() || pair.size() != 2) {
      f.fail("\"metrics\" must be a list of pairs");
    }
    out.metrics.emplace_back(f.text_of("metrics", pair[0]),
                             f.number_of("metrics", pair[1]));
  }
  out.rows = f.count("rows");
  out.seconds = f.number("seconds");
  return out;
}

data::Position position_of(const Fields& f) {
  std::vector<int64_t> words;
  for (const json& word : f.list("position")) {
    if (!word.is_number_integer() ||
        (word.is_number_unsigned() &&
         word.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))) {
      f.fail("\"position\" must be a list of integers");
    }
    words.push_back(word.get<int64_t>());
  }
  try {
    return data::Position::from_words(words);
  } catch (const Error& e) {
    f.fail(e.text());
  }
}

}  // namespace

FrozenKeys frozen_keys(const RunConfig& config) {
  FrozenKeys out;
  std::istringstream lines(to_toml(config));
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = line.substr(1, line.size() - 2) + ".";
    const size_t equals = line.find(" = ");
    if (equals == std::string::npos || section == "run.") continue;
    out[section + line.substr(0, equals)] = line.substr(equals + 3);
  }
  out.erase("train.save_every");
  return out;
}

std::string hash_of(const FrozenKeys& keys) {
  Hasher hasher;
  for (const auto& [key, value] : keys) hasher.update(key + "=" + value + "\n");
  return hasher.hex();
}

std::string to_json(const Progress& p) {
  ordered_json evals = ordered_json::array();
  for (const auto& e : p.evals) evals.push_back(json_of(e));
  ordered_json out = {{"step", p.loop.step},
                      {"position", p.loop.position.words()},
                      {"skips", p.loop.skips},
                      {"best_step", p.loop.best_step},
                      {"worse", p.loop.worse},
                      {"metrics_bytes", p.metrics_bytes},
                      {"tokens", p.tokens},
                      {"skipped", p.skipped},
                      {"train_s", p.train_s},
                      {"step_s", p.step_s},
                      {"input_s", p.input_s},
                      {"evals", evals},
                      {"best", nullptr},
                      {"config", p.config}};
  if (p.best) out["best"] = *p.best;
  return out.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Progress parse_progress(const std::string& text, const std::string& where) {
  const json root = io::parse_json(text, where);
  const Fields f(root, where);
  Progress out;
  out.loop.step = f.count("step");
  out.loop.position = position_of(f);
  out.loop.skips = f.count("skips");
  out.loop.best_step = f.count("best_step");
  out.loop.worse = f.count("worse");
  out.metrics_bytes = static_cast<uint64_t>(f.count("metrics_bytes"));
  out.tokens = f.count("tokens");
  out.skipped = f.count("skipped");
  out.train_s = f.number("train_s");
  out.step_s = f.number("step_s");
  out.input_s = f.number("input_s");
  for (const json& e : f.list("evals")) {
    out.evals.push_back(eval_of(e, where));
  }
  const double best = f.number("best");
  if (!std::isnan(best)) out.best = best;
  const json& config = f.value("config");
  if (!config.is_object()) f.fail("\"config\" must be an object");
  for (const auto& [key, value] : config.items()) {
    out.config[key] = f.text_of("config", value);
  }
  return out;
}

}  // namespace kexue::train::detail
