// Options by name, as a configuration file gives them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace kexue::optim {

using NameList = std::vector<std::string>;
using NumberTable = std::vector<std::pair<std::string, double>>;
using OptionValue =
    std::variant<bool, double, std::string, NameList, NumberTable>;

struct Option {
  std::string key;  // "beta1"
  OptionValue value;
  std::string where = {};  // "run.toml:12: "; what errors start with

  bool operator==(const Option& other) const {
    return key == other.key && value == other.value;
  }
};
using OptionList = std::vector<Option>;

// Fills members from a list, and remembers which keys it was asked for.
//
// Errors: kInvalidArgument naming key, what was wanted and what came.
class OptionReader final {
 public:
  // `owner` is what an unknown key is blamed on: "lion".
  OptionReader(std::string owner, OptionList options)
      : owner_(std::move(owner)), options_(std::move(options)) {}

  void operator()(const char* key, bool& member);
  void operator()(const char* key, double& member);
  void operator()(const char* key, int64_t& member);
  void operator()(const char* key, std::string& member);
  void operator()(const char* key, NameList& member);
  void operator()(const char* key, NumberTable& member);

  // Every key asked for with the value that it had before, as "beta1 = 0.9".
  const std::vector<std::string>& known() const { return known_; }
  // Errors: kInvalidArgument for a key that nobody asked for, with the known
  //         ones as the hint.
  void refuse_others() const;
  // `where` of a key, "" if it was not given.
  std::string where(const std::string& key) const;

 private:
  const Option* find(const char* key, std::string shown);

  std::string owner_;
  OptionList options_;
  std::vector<std::string> keys_;
  std::vector<std::string> known_;
};

}  // namespace kexue::optim
