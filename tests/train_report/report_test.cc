#include "kexue/train/report.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "kexue/report/vega_files.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/train_report/made_up_run.h"

namespace kexue::train {
namespace {

using testing::done_line;
using testing::eval_line;
using testing::read_page;
using testing::run_lines;
using testing::step_line;
using testing::TempFolder;
using testing::write_run;

std::string page_of(const std::string& metrics) {
  const TempFolder dir;
  write_run(dir.path(), metrics);
  write_report(dir.path());
  return read_page(dir.path());
}

void report_on(const std::string& metrics) {
  page_of(metrics);
}

// Not a matcher: those print the page, a megabyte.
::testing::AssertionResult has(const std::string& page,
                               const std::string& part) {
  if (page.find(part) != std::string::npos) {
    return ::testing::AssertionSuccess() << "the page has " << part;
  }
  return ::testing::AssertionFailure() << "the page lacks " << part;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos;
       at = text.find(part, at + 1)) {
    ++n;
  }
  return n;
}

TEST(Report, HeadlineFiguresAreText) {
  const std::string page = page_of(run_lines(40));
  for (const char* part : {"test accuracy</dt><dd><b>87.7 %</b>",
                           "of 1,762 rows; standard error 0.8 points",
                           "dev accuracy</dt><dd><b>87.9 %</b>",
                           "<b>40</b><small>2 epochs",
                           "<b>12 min 34 s</b>",
                           "<b>1,796</b><small>padding 10.0 %",
                           "precision</dt><dd><b>bf16</b>",
                           "seed</dt><dd><b>42</b>",
                           "<dt>Plugin</dt><dd>/opt/plugin.so</dd>",
                           "<dd>xla_fast=true</dd>",
                           "<dd>avx512f, amx_bf16</dd>",
                           "8, 3 of them from the cache",
                           "precision = &quot;bf16&quot;",
                           "<th scope=\"row\">plugin.api</th><td>0.103</td>"}) {
    EXPECT_TRUE(has(page, part));
  }
  EXPECT_FALSE(has(page, "class=\"notes\""));
}

TEST(Report, EveryChartIsDrawnAndDescribedWithoutScripts) {
  const std::string page = page_of(run_lines(40));
  for (const char* id : {"loss",
                         "accuracy",
                         "learning-rate",
                         "gradient-norm",
                         "throughput",
                         "padding",
                         "time-split"}) {
    EXPECT_TRUE(has(page, std::string("id=\"") + id + "\""));
  }
  EXPECT_EQ(count(page, "<svg class=\"static\""), 7u);
  EXPECT_EQ(count(page, "role=\"img\" aria-label="), 7u);
  EXPECT_TRUE(has(page,
                  "Loss over steps 1 to 40. batch: from 0.6412 to "
                  "0.2034, lowest 0.2034 at step 40"));
  // Loss scaling was off.
  EXPECT_FALSE(has(page, "id=\"loss-scale\""));
}

TEST(Report, TimeSplitAddsUp) {
  // 754 s less 4 s compiling, 40 x 0.501 s and the 20.5 s of the dev split;
  // 2 s of the evaluations were compiling.
  const std::string page = page_of(run_lines(40));
  EXPECT_TRUE(has(page,
                  "compile 6.0 s (0.8 %), step 20.0 s (2.6 %), input "
                  "40 ms (0.0 %), evaluation 39.0 s (5.0 %), other 11 "
                  "min 49 s (91.6 %)"));
}

TEST(Report, LossScaleIsShownWhenUsed) {
  std::string line = step_line(1, 2, 0.5);
  line.replace(line.find("\"scale\":1.0"), 11, "\"scale\":1024");
  std::string next = step_line(2, 2, 0.5);
  next.replace(next.find("\"skipped\":false"), 15, "\"skipped\":true");
  const std::string page = page_of(line + next);
  EXPECT_TRUE(has(page, "id=\"loss-scale\""));
  EXPECT_TRUE(has(page, "skipped steps"));
}

TEST(Report, PartsOfTheModelAndMemoryHaveCharts) {
  const std::string page = page_of(testing::rich_step_line(1, 2, 0.5) +
                                   testing::rich_step_line(2, 2, 0.4));
  EXPECT_TRUE(has(page, "id=\"gradient-groups\""));
  EXPECT_TRUE(has(page, "attention: from 1 to"));
  EXPECT_TRUE(has(page, "id=\"memory\""));
  EXPECT_TRUE(has(page, "resident in the process: from 801 to 802"));
  std::string bad = testing::rich_step_line(1, 2, 0.5);
  bad.replace(bad.find("0.01"), 4, "\"x\"");
  EXPECT_ERROR(report_on(bad),
               Code::kCorruptData,
               "metrics.jsonl:1",
               "\"norm\" must be a number");
}

TEST(Report, PredictionsAreShownWithTheirText) {
  const TempFolder dir;
  write_run(dir.path(), run_lines(3));
  const std::string evil = "</td><script>x</script>";
  io::write_file(dir / "predictions-test.json",
                 std::string_view(testing::predictions_json("test", evil)));
  write_report(dir.path());
  const std::string page = read_page(dir.path());
  for (const char* part :
       {"Predictions on test",
        "1 rows whose output was not finite",
        "id=\"confusion-test\"",
        "40 of 50 on the diagonal",
        "<td>40</td><td>10</td><td>80.0 %</td>",
        "id=\"calibration-test\"",
        "expected calibration error 6.5 %",
        "Most wrong",
        "<tr><td>8</td><td>&lt;/td&gt;&lt;script&gt;x&lt;/script&gt;</td>"
        "<td>good</td><td>99.0 %</td>",
        "Right, by chance"}) {
    EXPECT_TRUE(has(page, part));
  }
  EXPECT_EQ(count(page, "<script>x"), 0u);
  EXPECT_EQ(count(page, "id=\"confusion-dev\""), 0u);
  io::write_file(dir / "predictions-dev.json", std::string_view("{}"));
  EXPECT_ERROR(
      write_report(dir.path()), Code::kCorruptData, "predictions-dev.json");
}

TEST(Report, ScoresAreShownAsAScatter) {
  const TempFolder dir;
  write_run(dir.path(), run_lines(3));
  io::write_file(
      dir / "predictions-dev.json",
      std::string_view(
          R"({"split":"dev","step":3,"rows":2,"not_finite":0,"classes":[],)"
          R"("confusion":[],"calibration":[],"calibration_error":0,)"
          R"("scatter":[[-1.5,-1],[2,2.25]],"wrong":[{"row":0,"truth":-1.5,)"
          R"("predicted":-1,"probability":0,"text":"meh"}],"right":[]})"));
  write_report(dir.path());
  const std::string page = read_page(dir.path());
  EXPECT_TRUE(has(page, "id=\"scatter-dev\""));
  EXPECT_TRUE(has(page, "<td>-1.5</td><td>-1</td><td>meh</td>"));
  EXPECT_FALSE(has(page, "id=\"confusion-dev\""));
}

TEST(Report, SeveralRunsShareTheirCharts) {
  const TempFolder dir;
  std::vector<std::string> folders;
  for (const char* name : {"x/run", "y/run", "z"}) {
    folders.push_back(dir / name);
    std::filesystem::create_directories(folders.back());
    write_run(folders.back(), run_lines(10 * static_cast<int>(folders.size())));
  }
  io::write_file(folders[2] + "/config.toml",
                 std::string_view("[train]\nlr = 2e-05\nseed = 42\n"));
  write_comparison(folders, dir / "page.html");
  const std::string page = io::read_file(dir / "page.html", 1 << 26);
  for (const char* part : {"<h1>run, run (2), z</h1>",
                           "Loss over steps 1 to 30.",
                           "run (2): from",
                           "z dev: from",
                           "id=\"accuracy\"",
                           "<th scope=\"row\">train.lr</th><td>5e-05</td>"
                           "<td>5e-05</td><td>2e-05</td>",
                           "<th scope=\"row\">dev.accuracy</th>"
                           "<td>87.86 %</td>"}) {
    EXPECT_TRUE(has(page, part));
  }
  folders.resize(1);
  EXPECT_ERROR(write_comparison(folders, dir / "p.html"),
               Code::kInvalidArgument,
               "2 to 8 runs, got 1");
  EXPECT_ERROR(write_comparison({folders[0], dir / "none"}, dir / "p.html"),
               Code::kNotFound,
               "none/metrics.jsonl");
}

TEST(Report, SameInputsGiveTheSamePage) {
  const TempFolder dir;
  write_run(dir.path(), run_lines(10));
  write_report(dir.path());
  const std::string first = read_page(dir.path());
  write_report(dir.path());
  EXPECT_EQ(first, read_page(dir.path()));
}

TEST(Report, TornLastLineIsLeftOutAndNoted) {
  const std::string whole = step_line(1, 4, 0.7) + step_line(2, 4, 0.6);
  const std::string torn = step_line(3, 4, 0.5).substr(0, 50);
  const std::string page = page_of(whole + torn);
  EXPECT_TRUE(has(page, "line 3) was cut off"));
  EXPECT_TRUE(has(page, "has not ended, or was killed"));
  EXPECT_TRUE(has(page, "<b>2</b><small>of 4"));
  // Complete but for its newline: nothing is lost.
  std::string last = step_line(3, 4, 0.5);
  last.pop_back();
  EXPECT_TRUE(has(page_of(whole + last), "<b>3</b><small>of 4"));
}

TEST(Report, MalformedLineIsCorruptWithFileAndLine) {
  const std::string good = step_line(1, 4, 0.7);
  const auto corrupt = [&](const std::string& line, const std::string& text) {
    EXPECT_ERROR(report_on(good + line + "\n"),
                 Code::kCorruptData,
                 "metrics.jsonl:2",
                 text);
  };
  corrupt("{\"kind\":", "byte 9");
  corrupt("", "byte 1");
  corrupt("[1]", "wanted an object");
  corrupt("{}", "no \"kind\"");
  corrupt(R"({"kind":"step","step":2})", "no \"loss\"");
  corrupt(R"({"kind":"step","step":1,"loss":1})", "step 1 after step 1");
  corrupt(R"({"kind":"step","step":-2,"loss":1})", "\"step\" must be");
  corrupt(R"({"kind":"step","step":2.5,"loss":1})", "\"step\" must be");
  corrupt(R"({"kind":"step","step":2,"loss":"x"})", "\"loss\" must be");
  corrupt(R"({"kind":"step","step":2,"loss":1,"skipped":1})", "true or false");
  corrupt(R"({"kind":"eval","split":"","step":2,"accuracy":1})", "64 bytes");
  EXPECT_ERROR(report_on(done_line(1) + done_line(1)),
               Code::kCorruptData,
               "metrics.jsonl:2",
               "\"done\" twice");
}

TEST(Report, ConfigAndEnvironmentAreChecked) {
  const TempFolder dir;
  write_run(dir.path(), run_lines(3));
  io::write_file(dir / "config.toml", std::string_view("[train]\nlr = = 1\n"));
  EXPECT_ERROR(write_report(dir.path()), Code::kCorruptData, "config.toml:2");
  write_run(dir.path(), run_lines(3));
  io::write_file(dir / "environment.json", std::string_view("[1]"));
  EXPECT_ERROR(
      write_report(dir.path()), Code::kCorruptData, "environment.json:1");
  io::write_file(dir / "environment.json", std::string_view(R"({"flags":{}})"));
  write_report(dir.path());
  EXPECT_TRUE(has(read_page(dir.path()), "<dt>Flags</dt><dd>none</dd>"));
}

TEST(Report, OnlyMetricsAreNeeded) {
  const TempFolder dir;
  EXPECT_ERROR(write_report(dir.path()), Code::kNotFound, "metrics.jsonl");
  io::write_file(dir / "metrics.jsonl", std::string_view(""));
  write_report(dir.path());
  const std::string page = read_page(dir.path());
  EXPECT_TRUE(has(page, "The run has no config.toml."));
  EXPECT_TRUE(has(page, "The run has no environment.json."));
}

TEST(Report, FailureAndNonFiniteLossAreNoted) {
  std::string page = page_of(step_line(1, 4, 0.7) +
                             R"({"kind":"step","step":2,"loss":null})"
                             "\n"
                             R"({"kind":"error","step":2,"text":"no <luck>"})"
                             "\n");
  EXPECT_TRUE(has(page, "failed at step 2: no &lt;luck&gt;"));
  EXPECT_TRUE(has(page, "The loss of 1 steps is not finite."));
  EXPECT_TRUE(has(page_of("{\"kind\":\"later\"}\n"), "unknown here"));
}

TEST(Report, ForeignTextCannotLeaveItsPlace) {
  const std::string evil = "</script><script>alert(1)</script><!--";
  const TempFolder dir;
  write_run(dir.path(),
            step_line(1, 1, 0.5) + eval_line(evil, 1, 0.5) +
                eval_line("a\\u2028b\\u0000", 1, 0.5));
  io::write_file(dir / "config.toml",
                 std::string_view("# </code>" + evil + "\n"));
  io::write_file(
      dir / "environment.json",
      std::string_view("{\"" + evil + "\": \"\\\"' onload=x " + evil + "\"}"));
  write_report(dir.path());
  const std::string page = read_page(dir.path());
  const size_t scripts = report::vega_files().empty() ? 0 : 5;
  EXPECT_EQ(count(page, "<script"), scripts);
  EXPECT_EQ(count(page, "</script"), scripts);
  EXPECT_EQ(count(page, "<script>alert"), 0u);
  EXPECT_EQ(count(page, "<!--"), 0u);
  EXPECT_EQ(count(page, "\"' onload"), 0u);
  EXPECT_EQ(page.find('\0'), std::string::npos);
}

TEST(Report, PageNamesNoPlaceToLoadFrom) {
  const std::string page = page_of(run_lines(5));
  EXPECT_TRUE(has(page, "Content-Security-Policy"));
  EXPECT_TRUE(has(page, "default-src 'none'"));
  // Before the scripts, which the policy above holds back.
  const std::string text = page.substr(0, page.find("<script"));
  for (const char* part : {" src=", "@import", "url(", "http:", "https:"}) {
    EXPECT_EQ(count(text, part), 0u) << part;
  }
}

TEST(Report, LongRunsStaySmall) {
  const std::string page = page_of(run_lines(20'000));
  size_t embedded = 0;
  for (const auto& file : report::vega_files()) {
    embedded += file.source.size() + file.licence.size();
  }
  EXPECT_LT(page.size() - embedded, 1u << 20);
}

}  // namespace
}  // namespace kexue::train
