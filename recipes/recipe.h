// A recipe: one method with its question, its budget and the numbers that it
// must reach. Adding one is a file here and a line in recipe_list.inc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/report/page.h"

namespace kexue::recipes {

class Context;

// What a number of a recipe must be.
enum class Bound {
  kNear,     // |value - expected| <= tolerance
  kAtLeast,  // value >= expected - tolerance
  kAtMost,   // value <= expected + tolerance
};

// Runs that are long enough to check a number.
enum class Sizes { kAll, kFull, kQuick };

// An expectation. Numbers too large for a double are given as `exact` text,
// which must be equal to the last character.
struct Expected {
  std::string name;
  double value = 0;
  double tolerance = 0;  // in the units of the value
  std::string source;    // "article 9291", "brute force", "closed form"...
  Bound bound = Bound::kNear;
  Sizes sizes = Sizes::kAll;
  std::string exact = {};
};

// Shorthands for the list of a recipe.
Expected exactly(std::string name, double value, std::string source);
Expected exactly(std::string name, std::string text, std::string source);

struct Recipe {
  std::string name;      // "cross-colouring": [a-z0-9-]+
  std::string title;     // of the page
  std::string question;  // what it settles
  std::string source;    // article or paper
  std::string method;    // how, in a few sentences
  std::string budget;    // time, memory, cores of a full and a quick run
  std::vector<std::string> needs = {};  // groups of `./dev fetch`
  bool is_random = false;               // results depend on the seed
  std::vector<Expected> expected = {};
  void (*run)(Context& context) = nullptr;
};

// Where programs of recipes run.
struct Device {
  std::string plugin;   // "": search
  int64_t threads = 0;  // 0: all cores
};

// Who follows a run: the terminal, or nobody.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void message(const std::string& line) = 0;
  // `done` of `total`, both in units of the recipe.
  virtual void progress(double done, double total, const std::string& what) = 0;
};

struct Value {
  std::string name;
  double number = 0;
  std::string text = {};  // of exact values
};

// What a running recipe sees: its options, and where its results go.
class Context final {
 public:
  Context(const Recipe& recipe,
          bool quick,
          uint64_t seed,
          std::string folder,
          Device device,
          Observer* observer);

  bool quick() const { return quick_; }
  uint64_t seed() const { return seed_; }
  // For files of its own: models, samples.
  const std::string& folder() const { return folder_; }
  const Device& device() const { return device_; }

  // Gives the value of an expectation.
  // Errors: kInternal if the recipe expects no such number, or has given it.
  void check(std::string_view name, double value);
  void check_exact(std::string_view name, std::string text);

  void message(const std::string& line);
  void progress(double done, double total, const std::string& what);
  // Parts of the run's page, between its checks and its facts.
  report::Page& page() { return page_; }

  const std::vector<Value>& values() const { return values_; }

 private:
  void add(Value value, bool is_exact);

  const Recipe* recipe_;
  bool quick_;
  uint64_t seed_;
  std::string folder_;
  Device device_;
  Observer* observer_;
  report::Page page_{""};
  std::vector<Value> values_;
};

// All recipes, in the order of recipe_list.inc.
const std::vector<Recipe>& all_recipes();
// Errors: kNotFound with the nearest name.
const Recipe& find_recipe(const std::string& name);

}  // namespace kexue::recipes
