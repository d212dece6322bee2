// Predictions as JSON, there and back.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/base/error.h"
#include "kexue/io/json.h"
#include "kexue/io/limits.h"
#include "kexue/train/detail/predictions.h"

namespace kexue::train::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kBytes = 16 * io::limits::kMiB;

Json json_of(const std::vector<Sample>& samples) {
  Json out = Json::array();
  for (const Sample& s : samples) {
    out.push_back({{"row", s.row},
                   {"truth", s.truth},
                   {"predicted", s.predicted},
                   {"probability", s.probability},
                   {"text", s.text}});
  }
  return out;
}

// The file's values, with its name in every error.
class Reader final {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  [[noreturn]] void fail(const std::string& text) const {
    throw Error(Code::kCorruptData, path_ + ": " + text);
  }
  const nlohmann::json& at(const nlohmann::json& object,
                           const char* key) const {
    if (!object.is_object() || !object.contains(key)) {
      fail(fmt::format("no \"{}\"", key));
    }
    return object[key];
  }
  double number(const nlohmann::json& object, const char* key) const {
    const auto& v = at(object, key);
    if (!v.is_number()) fail(fmt::format("\"{}\" must be a number", key));
    return v.get<double>();
  }
  int64_t count(const nlohmann::json& v, const char* key) const {
    if (!v.is_number_unsigned() || v.get<uint64_t>() > kMost) {
      fail(fmt::format("\"{}\" must hold integers of 0 to 2^53", key));
    }
    return static_cast<int64_t>(v.get<uint64_t>());
  }
  std::string text(const nlohmann::json& v, const char* key) const {
    if (!v.is_string()) fail(fmt::format("\"{}\" must hold text", key));
    return v.get<std::string>();
  }
  const nlohmann::json& list(const nlohmann::json& object,
                             const char* key,
                             size_t most) const {
    const auto& v = at(object, key);
    if (!v.is_array() || v.size() > most) {
      fail(fmt::format("\"{}\" must be a list of at most {}", key, most));
    }
    return v;
  }
  std::vector<Sample> samples(const nlohmann::json& object,
                              const char* key,
                              size_t most) const {
    std::vector<Sample> out;
    for (const auto& s : list(object, key, most)) {
      out.push_back({.row = count(at(s, "row"), "row"),
                     .truth = number(s, "truth"),
                     .predicted = number(s, "predicted"),
                     .probability = number(s, "probability"),
                     .text = text(at(s, "text"), "text")});
    }
    return out;
  }

 private:
  static constexpr uint64_t kMost = uint64_t{1} << 53;
  std::string path_;
};

void read_lists(const Reader& r, const nlohmann::json& json, Predictions* out) {
  for (const auto& name : r.list(json, "classes", io::limits::kClasses)) {
    out->classes.push_back(r.text(name, "classes"));
  }
  const size_t n = out->classes.size();
  for (const auto& v :
       r.list(json, "confusion", kConfusionClasses * kConfusionClasses)) {
    out->confusion.push_back(r.count(v, "confusion"));
  }
  if (!out->confusion.empty() && out->confusion.size() != n * n) {
    r.fail(fmt::format("\"confusion\" has {} counts for {} classes",
                       out->confusion.size(),
                       n));
  }
  for (const auto& bin : r.list(json, "calibration", kBins)) {
    out->bins.push_back({.rows = r.count(r.at(bin, "rows"), "rows"),
                         .confidence = r.number(bin, "confidence"),
                         .accuracy = r.number(bin, "accuracy")});
  }
  for (const auto& pair : r.list(json, "scatter", kScatterPoints)) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() ||
        !pair[1].is_number()) {
      r.fail("\"scatter\" must hold pairs of numbers");
    }
    out->scatter.emplace_back(pair[0].get<double>(), pair[1].get<double>());
  }
}

}  // namespace

std::string predictions_file(const std::string& split) {
  return "predictions-" + split + ".json";
}

std::string to_json(const Predictions& p) {
  Json bins = Json::array();
  for (const Bin& b : p.bins) {
    bins.push_back({{"rows", b.rows},
                    {"confidence", b.confidence},
                    {"accuracy", b.accuracy}});
  }
  Json scatter = Json::array();
  for (const auto& [truth, predicted] : p.scatter) {
    scatter.push_back({truth, predicted});
  }
  const Json out = {{"split", p.split},
                    {"step", p.step},
                    {"rows", p.rows},
                    {"not_finite", p.not_finite},
                    {"classes", p.classes},
                    {"confusion", p.confusion},
                    {"calibration", bins},
                    {"calibration_error", p.calibration_error},
                    {"scatter", scatter},
                    {"wrong", json_of(p.wrong)},
                    {"right", json_of(p.right)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Predictions read_predictions(const std::string& path) {
  const auto json = io::parse_json_file(path, {.max_bytes = kBytes});
  const Reader r(path);
  Predictions out;
  out.split = r.text(r.at(json, "split"), "split");
  out.step = r.count(r.at(json, "step"), "step");
  out.rows = r.count(r.at(json, "rows"), "rows");
  out.not_finite = r.count(r.at(json, "not_finite"), "not_finite");
  out.calibration_error = r.number(json, "calibration_error");
  read_lists(r, json, &out);
  out.wrong = r.samples(json, "wrong", kWrongSamples);
  out.right = r.samples(json, "right", kRightSamples);
  return out;
}

}  // namespace kexue::train::detail
