#include "recipes/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::recipes {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// Values that depend on the seed: 10, 11, 12...
void run_made_up(Context& c) {
  c.message("hello");
  c.progress(1, 2, "half");
  c.page().paragraph("<b> is escaped");
  c.page().chart({.id = "x",
                  .title = "Values",
                  .x = {1, 2, 3},
                  .curves = {{.name = "y", .y = {1, 4, 9}}}});
  c.check("near", 10 + static_cast<double>(c.seed()));
  c.check("at least", 5);
  c.check("at most", 5);
  c.check_exact("text", "123456789012345678901");
  if (!c.quick()) c.check("only full", 1);
}

Recipe made_up() {
  return {.name = "made-up",
          .title = "A recipe & its page",
          .question = "Does the frame work?",
          .source = "nowhere",
          .method = "By counting.",
          .budget = "nothing",
          .needs = {"plugin", "zh_text"},
          .is_random = true,
          .expected = {{"near", 11, 1.5, "a"},
                       {"at least", 5, 0, "b", Bound::kAtLeast},
                       {"at most", 4.5, 0.5, "c", Bound::kAtMost},
                       exactly("text", "123456789012345678901", "d"),
                       {"only full", 1, 0, "e", Bound::kNear, Sizes::kFull}},
          .run = run_made_up};
}

struct Heard final : Observer {
  std::vector<std::string> lines;
  double share = 0;
  void message(const std::string& line) override { lines.push_back(line); }
  void progress(double done, double total, const std::string&) override {
    share = done / total;
  }
};

TEST(Runner, PassesAndLeavesPageAndJson) {
  const testing::TempFolder folder;
  Heard heard;
  const auto result = run_recipe(made_up(), {.folder = folder / "a/b"}, &heard);
  EXPECT_TRUE(result.passed());
  EXPECT_EQ(result.checks.size(), 5u);
  EXPECT_EQ(heard.lines, std::vector<std::string>{"hello"});
  EXPECT_EQ(heard.share, 0.5);
  EXPECT_EQ(result.page, folder / "a/b/report.html");

  const json j =
      json::parse(io::read_file(folder / "a/b/result.json", 1 << 20));
  EXPECT_EQ(j.at("name"), "made-up");
  EXPECT_EQ(j.at("passed"), true);
  EXPECT_GE(j.at("seconds").get<double>(), 0);
  const json& near = j.at("checks").at(0);
  EXPECT_EQ(near.at("name"), "near");
  EXPECT_EQ(near.at("value"), 10);
  EXPECT_EQ(near.at("expected"), 11);
  EXPECT_EQ(near.at("tolerance"), 1.5);
  EXPECT_EQ(near.at("source"), "a");
  EXPECT_EQ(j.at("checks").at(3).at("value"), "123456789012345678901");
}

TEST(Runner, PageIsSelfContainedAndEscaped) {
  const testing::TempFolder folder;
  const auto result = run_recipe(made_up(), {.folder = folder.path()});
  const std::string page = io::read_file(result.page, 1 << 24);
  EXPECT_THAT(page, HasSubstr("A recipe &amp; its page"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt; is escaped"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("<svg class=\"static\""));
  for (const char* part : {"src=\"http", "href=\"http", "@import"}) {
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  }
}

TEST(Runner, NumberOutsideItsBoundFails) {
  const testing::TempFolder folder;
  const std::pair<Expected, bool> cases[] = {
      {{"at least", 5.1, 0.1, "", Bound::kAtLeast}, true},
      {{"at least", 5.2, 0.1, "", Bound::kAtLeast}, false},
      {{"at most", 4.9, 0.1, "", Bound::kAtMost}, true},
      {{"at most", 4.8, 0.1, "", Bound::kAtMost}, false},
      {{"near", 10.5, 0.5, ""}, true},
      {{"near", 9.4, 0.5, ""}, false},
      {exactly("text", "123456789012345678902", ""), false}};
  for (const auto& [expected, passes] : cases) {
    Recipe recipe = made_up();
    for (Expected& e : recipe.expected) {
      if (e.name == expected.name) e = expected;
    }
    const auto result = run_recipe(recipe, {.folder = folder.path()});
    EXPECT_EQ(result.passed(), passes) << expected.name << expected.value;
    EXPECT_THAT(to_text(result), HasSubstr(passes ? "passed" : "FAILED"));
  }
}

TEST(Runner, NaNAndWhatIsNotMeasuredFail) {
  const testing::TempFolder folder;
  Recipe recipe = made_up();
  recipe.run = [](Context& c) { c.check("near", std::nan("")); };
  const auto result = run_recipe(recipe, {.folder = folder.path()});
  for (const Check& check : result.checks) EXPECT_FALSE(check.passed);
  const json j = json::parse(to_json(result));
  EXPECT_TRUE(j.at("checks").at(0).at("value").is_null());
  EXPECT_THAT(to_text(result), HasSubstr("not measured"));
}

TEST(Runner, QuickRunsLeaveFullNumbersOut) {
  const testing::TempFolder folder;
  const auto result =
      run_recipe(made_up(), {.quick = true, .folder = folder.path()});
  EXPECT_TRUE(result.passed());
  EXPECT_EQ(result.checks.size(), 4u);
}

TEST(Runner, SeveralSeedsJudgeTheMean) {
  const testing::TempFolder folder;
  // 12, 13, 14: mean 13, deviation 1.
  auto result =
      run_recipe(made_up(), {.seed = 2, .seeds = 3, .folder = folder.path()});
  EXPECT_FALSE(result.passed());
  EXPECT_EQ(result.checks[0].mean(), 13);
  EXPECT_EQ(result.checks[0].deviation(), 1);
  const json j = json::parse(to_json(result));
  EXPECT_EQ(j.at("checks").at(0).at("values"), json({12, 13, 14}));
  result = run_recipe(made_up(), {.seeds = 3, .folder = folder.path()});
  EXPECT_TRUE(result.passed());
}

TEST(Runner, RefusesWhatMakesNoSense) {
  const testing::TempFolder folder;
  EXPECT_ERROR(run_recipe(made_up(), {.seeds = 0, .folder = folder.path()}),
               Code::kInvalidArgument,
               "0 seeds",
               "1 to 10000");
  Recipe recipe = made_up();
  recipe.is_random = false;
  EXPECT_ERROR(run_recipe(recipe, {.seeds = 2, .folder = folder.path()}),
               Code::kInvalidArgument,
               "do not depend on the seed");
  recipe.run = [](Context& c) { c.check("unheard of", 1); };
  EXPECT_ERROR(run_recipe(recipe, {.folder = folder.path()}),
               Code::kInternal,
               "unheard of",
               "not expected");
  recipe.run = [](Context& c) {
    c.check("near", 1);
    c.check("near", 1);
  };
  EXPECT_ERROR(run_recipe(recipe, {.folder = folder.path()}),
               Code::kInternal,
               "given twice");
  io::write_file(folder / "file", "x");
  EXPECT_ERROR(run_recipe(made_up(), RunOptions{.folder = folder / "file/x"}),
               Code::kIo,
               "file/x");
}

TEST(Recipes, NamesAreUniqueAndFactsAreThere) {
  std::vector<std::string> names;
  for (const Recipe& r : all_recipes()) {
    for (const std::string& text :
         {r.name, r.title, r.question, r.source, r.method, r.budget}) {
      EXPECT_FALSE(text.empty()) << r.name;
    }
    EXPECT_FALSE(r.expected.empty()) << r.name;
    EXPECT_EQ(std::count(names.begin(), names.end(), r.name), 0) << r.name;
    for (const Expected& e : r.expected) EXPECT_FALSE(e.source.empty());
    names.push_back(r.name);
    EXPECT_EQ(&find_recipe(r.name), &r);
    EXPECT_EQ(json::parse(to_json(r)).at("name"), r.name);
  }
}

TEST(Recipes, UnknownNameNamesTheNearest) {
  EXPECT_ERROR(find_recipe("ab-plusc"),
               Code::kNotFound,
               "\"ab-plusc\"",
               "\"ab-plus-c\"");
}

}  // namespace
}  // namespace kexue::recipes
