#include "kexue/optim/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "kexue/base/error.h"

namespace kexue::optim {
namespace {

[[noreturn]] void refuse(const Option& o, const std::string& wanted) {
  static constexpr std::array<const char*, 5> kKinds = {
      "true or false", "a number", "text", "a list", "a table"};
  std::string got = kKinds.at(o.value.index());
  if (const auto* x = std::get_if<double>(&o.value))
    got = fmt::format("{}", *x);
  throw Error(
      Code::kInvalidArgument,
      fmt::format(
          "{}optimizer.{} must be {}, got {}", o.where, o.key, wanted, got));
}

template <class T>
void read(const Option* o, T& member, const char* wanted) {
  if (o == nullptr) return;
  const T* value = std::get_if<T>(&o->value);
  if (value == nullptr) refuse(*o, wanted);
  member = *value;
}

std::string quoted(const NameList& names) {
  std::string out;
  for (const auto& name : names) {
    out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", name);
  }
  return "[" + out + "]";
}

}  // namespace

const Option* OptionReader::find(const char* key, std::string shown) {
  keys_.emplace_back(key);
  known_.push_back(fmt::format("{} = {}", key, shown));
  const auto at = std::find_if(options_.begin(),
                               options_.end(),
                               [&](const Option& o) { return o.key == key; });
  return at == options_.end() ? nullptr : &*at;
}

void OptionReader::operator()(const char* key, bool& member) {
  read(find(key, member ? "true" : "false"), member, "true or false");
}

void OptionReader::operator()(const char* key, double& member) {
  const Option* o = find(key, fmt::format("{}", member));
  read(o, member, "a number");
  if (!std::isfinite(member)) refuse(*o, "finite");
}

void OptionReader::operator()(const char* key, int64_t& member) {
  const Option* o = find(key, fmt::format("{}", member));
  auto number = static_cast<double>(member);
  read(o, number, "an integer");
  if (!(std::fabs(number) <= 0x1p31) || std::trunc(number) != number) {
    refuse(*o, "an integer");
  }
  member = static_cast<int64_t>(number);
}

void OptionReader::operator()(const char* key, std::string& member) {
  read(find(key, '"' + member + '"'), member, "text");
}

void OptionReader::operator()(const char* key, NameList& member) {
  const Option* o = find(key, quoted(member));
  read(o, member, "a list of text");
  for (const auto& name : member) {
    if (name.empty()) refuse(*o, "a list of parts of names, none empty");
  }
}

void OptionReader::operator()(const char* key, NumberTable& member) {
  read(find(key, "{}"), member, "a table of numbers");
}

void OptionReader::refuse_others() const {
  for (const Option& o : options_) {
    if (std::find(keys_.begin(), keys_.end(), o.key) != keys_.end()) continue;
    throw Error(Code::kInvalidArgument,
                fmt::format("{}optimizer {} has no option \"{}\"",
                            o.where,
                            owner_,
                            o.key.substr(0, 64)),
                fmt::format("it has {}", fmt::join(keys_, ", ")));
  }
}

std::string OptionReader::where(const std::string& key) const {
  for (const Option& o : options_) {
    if (o.key == key) return o.where;
  }
  return "";
}

}  // namespace kexue::optim
