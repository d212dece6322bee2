// The page in a real browser, where there is one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "kexue/report/vega_files.h"
#include "kexue/train/report.h"
#include "tests/support/temp_folder.h"
#include "tests/train_report/made_up_run.h"

extern char** environ;

namespace kexue::train {
namespace {

using testing::TempFolder;

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = folder + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

struct Seen {
  std::string document;  // after its scripts have run
  std::string console;   // what they said there
};

Seen look_at(const std::string& browser,
             const TempFolder& dir,
             const std::string& page) {
  std::vector<std::string> args = {browser,
                                   "--headless",
                                   "--no-sandbox",
                                   "--disable-gpu",
                                   "--disable-dev-shm-usage",
                                   "--user-data-dir=" + (dir / "profile"),
                                   "--virtual-time-budget=20000",
                                   "--enable-logging=stderr",
                                   "--dump-dom",
                                   "file://" + (dir / page)};
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions,
                                   STDOUT_FILENO,
                                   (dir / "dom.html").c_str(),
                                   O_CREAT | O_WRONLY | O_TRUNC,
                                   0600);
  posix_spawn_file_actions_addopen(&actions,
                                   STDERR_FILENO,
                                   (dir / "log.txt").c_str(),
                                   O_CREAT | O_WRONLY | O_TRUNC,
                                   0600);
  pid_t child = 0;
  const int failed = posix_spawn(
      &child, browser.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return {};
  int status = 0;
  ::waitpid(child, &status, 0);
  Seen out{io::read_file(dir / "dom.html", 1 << 26), ""};
  std::istringstream log(io::read_file(dir / "log.txt", 1 << 26));
  for (std::string line; std::getline(log, line);) {
    if (line.find(":CONSOLE") != std::string::npos) out.console += line + "\n";
  }
  return out;
}

std::string find_browser() {
  const std::string browser = find_program("chromium");
  return browser.empty() ? find_program("google-chrome") : browser;
}

// No matchers: they would print a megabyte.
void expect_parts(const Seen& seen, const std::vector<std::string>& parts) {
  ASSERT_FALSE(seen.document.empty()) << "the browser gave no document";
  for (const std::string& part : parts) {
    EXPECT_NE(seen.document.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(seen.console, "");
}

TEST(Browser, DrawsEveryChartWithVega) {
  if (report::vega_files().empty()) GTEST_SKIP() << "built without Vega";
  const std::string browser = find_browser();
  if (browser.empty()) GTEST_SKIP() << "no chromium in PATH";

  const TempFolder dir;
  // The names are hostile, and must reach Vega as text.
  const std::string evil = "'</b>[0].x\\\\";
  std::string lines = testing::run_lines(60);
  lines += testing::rich_step_line(61, 62, 0.2);
  lines += testing::rich_step_line(62, 62, 0.2);
  testing::write_run(dir.path(), lines + testing::eval_line(evil, 62, 0.5));
  for (const char* split : {"dev", "test"}) {
    io::write_file(dir / ("predictions-" + std::string(split) + ".json"),
                   std::string_view(testing::predictions_json(split, evil)));
  }
  write_report(dir.path());
  // Eight charts of curves, the time split, and two for each split.
  expect_parts(look_at(browser, dir, "report.html"),
               {"data-charts=\"13\"",
                "mark-line",
                "mark-symbol",
                "mark-rect",
                "mark-text"});
}

TEST(Browser, DrawsSeveralRuns) {
  if (report::vega_files().empty()) GTEST_SKIP() << "built without Vega";
  const std::string browser = find_browser();
  if (browser.empty()) GTEST_SKIP() << "no chromium in PATH";
  const TempFolder dir;
  for (const char* name : {"a", "b"}) {
    std::filesystem::create_directory(dir / name);
    testing::write_run(dir / name, testing::run_lines(40));
  }
  write_comparison({dir / "a", dir / "b"}, dir / "both.html");
  expect_parts(look_at(browser, dir, "both.html"),
               {"data-charts=\"6\"", "mark-line", "mark-symbol"});
}

}  // namespace
}  // namespace kexue::train
