#include "recipes/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"

namespace kexue::recipes {

Expected exactly(std::string name, double value, std::string source) {
  return {.name = std::move(name),
          .value = value,
          .tolerance = 0,
          .source = std::move(source)};
}

Expected exactly(std::string name, std::string text, std::string source) {
  return {.name = std::move(name),
          .source = std::move(source),
          .exact = std::move(text)};
}

Context::Context(const Recipe& recipe,
                 bool quick,
                 uint64_t seed,
                 std::string folder,
                 Device device,
                 Observer* observer)
    : recipe_(&recipe),
      quick_(quick),
      seed_(seed),
      folder_(std::move(folder)),
      device_(std::move(device)),
      observer_(observer) {}

void Context::add(Value value, bool is_exact) {
  const auto same = [&](const auto& other) { return other.name == value.name; };
  const auto found =
      std::find_if(recipe_->expected.begin(), recipe_->expected.end(), same);
  const bool known =
      found != recipe_->expected.end() && found->exact.empty() != is_exact;
  if (!known || std::any_of(values_.begin(), values_.end(), same)) {
    throw Error(Code::kInternal,
                fmt::format("recipe {}: the value \"{}\" is {}",
                            recipe_->name,
                            value.name,
                            known ? "given twice" : "not expected"));
  }
  values_.push_back(std::move(value));
}

void Context::check(std::string_view name, double value) {
  add({.name = std::string(name), .number = value}, false);
}

void Context::check_exact(std::string_view name, std::string text) {
  add({.name = std::string(name), .text = std::move(text)}, true);
}

void Context::message(const std::string& line) {
  if (observer_ != nullptr) observer_->message(line);
}

void Context::progress(double done, double total, const std::string& what) {
  if (observer_ != nullptr) observer_->progress(done, total, what);
}

}  // namespace kexue::recipes
