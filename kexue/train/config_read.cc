#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/printable.h"
#include "kexue/train/detail/config_keys.h"
#include "kexue/train/make_optimizer.h"

namespace kexue::train {
namespace {

using detail::Check;
using detail::visit_keys;
using io::printable;

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;

// Fills one member from the table, if the key is there.
class Reader final {
 public:
  Reader(const toml::table& root, const std::string& path)
      : root_(root), path_(path) {}

  template <class T, class Limit>
  void operator()(const char* section,
                  const char* key,
                  T& member,
                  Limit limit) {
    const toml::node* node = root_[section][key].node();
    const Check check(node != nullptr ? where(*node) : path_ + ": ");
    if (node != nullptr) read(*node, section, key, member, check);
    check(section, key, member, limit);
  }

  std::string where(const toml::node& node) const {
    const auto line = node.source().begin.line;
    if (line == 0) return "setting: ";  // apply() put it there
    return fmt::format("{}:{}: ", path_, line);
  }

 private:
  static std::string type_of(const toml::node& node) {
    switch (node.type()) {
      case toml::node_type::string:
        return "text";
      case toml::node_type::integer:
        return "an integer";
      case toml::node_type::floating_point:
        return "a number with a fraction";
      case toml::node_type::boolean:
        return "true or false";
      case toml::node_type::array:
        return "a list";
      case toml::node_type::table:
        return "a table";
      default:
        return "a date or time";
    }
  }

  // "1, 0.5"; what is no number is left for the check to refuse.
  static std::string numbers(const toml::array& list) {
    std::string out;
    for (const auto& item : list) {
      out += out.empty() ? "" : ", ";
      out += item.is_number() ? fmt::format("{}", *item.value<double>()) : "?";
    }
    return out;
  }

  static void read(const toml::node& node,
                   const char* section,
                   const char* key,
                   std::string& member,
                   const Check& check) {
    if (const auto text = node.value_exact<std::string>()) {
      member = *text;
    } else if (node.is_number() && std::string_view(key) == "loss_scale") {
      member = fmt::format("{}", *node.value<double>());
    } else if (node.is_array() && std::string_view(key) == "class_weights") {
      member = numbers(*node.as_array());
    } else {
      check.fail(section, key, "text", type_of(node));
    }
  }
  static void read(const toml::node& node,
                   const char* section,
                   const char* key,
                   int64_t& member,
                   const Check& check) {
    if (const auto x = node.value_exact<int64_t>()) {
      member = *x;
    } else {
      check.fail(section, key, "an integer", type_of(node));
    }
  }
  static void read(const toml::node& node,
                   const char* section,
                   const char* key,
                   uint64_t& member,
                   const Check& check) {
    int64_t x = 0;
    read(node, section, key, x, check);
    if (x < 0) {
      check.fail(
          section, key, "an integer of at least 0", fmt::format("{}", x));
    }
    member = static_cast<uint64_t>(x);
  }
  static void read(const toml::node& node,
                   const char* section,
                   const char* key,
                   double& member,
                   const Check& check) {
    if (!node.is_number()) {
      check.fail(section, key, "a number", type_of(node));
    }
    member = *node.value<double>();
  }
  static void read(const toml::node& node,
                   const char* section,
                   const char* key,
                   bool& member,
                   const Check& check) {
    if (const auto x = node.value_exact<bool>()) {
      member = *x;
    } else {
      check.fail(section, key, "true or false", type_of(node));
    }
  }

  const toml::table& root_;
  std::string path_;
};

// The values of [optimizer], which has one table of keys for each rule.
class OptionParser final {
 public:
  explicit OptionParser(const Reader& reader) : reader_(reader) {}

  optim::OptionList operator()(const toml::table& table) const {
    optim::OptionList out;
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      out.push_back({name, value(name, node), reader_.where(node)});
    }
    return out;
  }

 private:
  optim::OptionValue value(const std::string& key,
                           const toml::node& node) const {
    if (const auto x = node.value_exact<bool>()) return *x;
    if (node.is_number()) return *node.value<double>();
    if (const auto x = node.value_exact<std::string>()) return *x;
    if (const auto* list = node.as_array()) {
      optim::NameList names;
      for (const auto& item : *list) {
        if (!item.is_string()) refuse(key, node, "a list of text");
        names.push_back(*item.value<std::string>());
      }
      return names;
    }
    const auto* table = node.as_table();
    if (table == nullptr) refuse(key, node, "a value");
    optim::NumberTable numbers;
    for (const auto& [name, item] : *table) {
      if (!item.is_number()) refuse(key, node, "a table of numbers");
      numbers.emplace_back(std::string(name.str()), *item.value<double>());
    }
    return numbers;
  }

  [[noreturn]] void refuse(const std::string& key,
                           const toml::node& node,
                           const char* wanted) const {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}optimizer.{} must be {}",
                            reader_.where(node),
                            printable(key.substr(0, 64)),
                            wanted));
  }

  const Reader& reader_;
};

// Number of single-letter edits from a to b.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

std::vector<std::string> known_keys() {
  std::vector<std::string> out;
  const RunConfig defaults;
  visit_keys(defaults,
             [&](const char* section, const char* key, const auto&, auto) {
               out.push_back(fmt::format("{}.{}", section, key));
             });
  return out;
}

// Unknown names may be long: only their start is compared and shown.
std::string nearest(const std::string& name) {
  const std::string_view start = std::string_view(name).substr(0, 64);
  const auto distance = [start](const std::string& known) {
    const auto key = std::string_view(known).substr(known.find('.') + 1);
    return std::min(edit_distance(start, known), edit_distance(start, key));
  };
  const auto keys = known_keys();
  return *std::min_element(
      keys.begin(), keys.end(), [&](const auto& a, const auto& b) {
        return distance(a) < distance(b);
      });
}

void refuse_unknown(const toml::table& root, const Reader& reader) {
  const auto keys = known_keys();
  const auto refuse = [&](const std::string& name, const toml::node& node) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}unknown key \"{}\"",
                            reader.where(node),
                            printable(name.substr(0, 64))),
                fmt::format("did you mean \"{}\"?", nearest(name)));
  };
  for (const auto& [section, value] : root) {
    if (section.str() == "optimizer" && value.is_table()) continue;
    const std::string prefix = std::string(section.str()) + ".";
    const bool known =
        std::any_of(keys.begin(), keys.end(), [&](const auto& k) {
          return k.starts_with(prefix);
        });
    const toml::table* table = value.as_table();
    if (!known || table == nullptr) {
      const bool one_key = table != nullptr && table->size() == 1;
      refuse(one_key ? prefix + std::string(table->begin()->first.str())
                     : std::string(section.str()),
             value);
    }
    for (const auto& [key, inner] : *table) {
      const std::string name = prefix + std::string(key.str());
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
        refuse(name, inner);
      }
    }
  }
}

// Puts "section.key=value" into the table, over what is there.
void apply(const std::string& setting, toml::table& root) {
  const size_t equals = setting.find('=');
  const size_t dot = setting.substr(0, equals).find('.');
  if (equals == std::string::npos || dot == std::string::npos) {
    throw Error(Code::kInvalidArgument,
                fmt::format("setting \"{}\" must be section.key=value",
                            printable(setting)),
                "as in train.lr=2e-5");
  }
  const std::string section = setting.substr(0, dot);
  const std::string key = setting.substr(dot + 1, equals - dot - 1);
  const std::string text = setting.substr(equals + 1);
  toml::table value;
  try {
    value = toml::parse("value = " + text);
  } catch (const toml::parse_error&) {
  }
  const bool is_toml = value.size() == 1 && value.contains("value");
  if (!root.contains(section)) root.insert(section, toml::table{});
  toml::table* table = root[section].as_table();
  if (table == nullptr) return;  // will be refused as an unknown key
  if (!is_toml) {
    table->insert_or_assign(key, text);
    return;
  }
  // Copies, which say that they are from line 0.
  value["value"].node()->visit(
      [&](const auto& node) { table->insert_or_assign(key, node); });
}

std::string folder_of(const RunConfig& config, const std::string& path) {
  namespace fs = std::filesystem;
  if (config.resume == "auto") {
    throw Error(Code::kInvalidArgument,
                path + ": run.resume = \"auto\" needs a run.folder",
                "name the folder of the run to go on with");
  }
  if (config.resume == "none") {
    return dated_run_folder(fs::path(path).stem().string());
  }
  // <run>/checkpoints/step-...
  const fs::path manifest = fs::path(config.resume) / "manifest.json";
  const fs::path run =
      manifest.lexically_normal().parent_path().parent_path().parent_path();
  return run.empty() ? "." : run.string();
}

}  // namespace

RunConfig read_run_config(const std::string& path,
                          const std::vector<std::string>& settings) {
  const std::string text = io::read_file(path, kMaxConfigBytes);
  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error& e) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}:{}: {}",
                            path,
                            e.source().begin.line,
                            printable(e.description())));
  }
  for (const auto& setting : settings) apply(setting, root);
  RunConfig config;
  Reader reader(root, path);
  refuse_unknown(root, reader);
  visit_keys(config, reader);
  if (const auto* table = root["optimizer"].as_table()) {
    config.optimizer = OptionParser(reader)(*table);
  }
  make_optimizer(config);
  detail::check_together(config, path + ": ");
  if (config.folder.empty()) config.folder = folder_of(config, path);
  return config;
}

}  // namespace kexue::train
