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

// The document after its scripts have run.
std::string dump_dom(const std::string& browser, const TempFolder& dir) {
  std::vector<std::string> args = {browser,
                                   "--headless",
                                   "--no-sandbox",
                                   "--disable-gpu",
                                   "--disable-dev-shm-usage",
                                   "--user-data-dir=" + (dir / "profile"),
                                   "--virtual-time-budget=20000",
                                   "--dump-dom",
                                   "file://" + (dir / "report.html")};
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions,
                                   STDOUT_FILENO,
                                   (dir / "dom.html").c_str(),
                                   O_CREAT | O_WRONLY,
                                   0600);
  posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawn(
      &child, browser.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return "";
  int status = 0;
  ::waitpid(child, &status, 0);
  return io::read_file(dir / "dom.html", 1 << 26);
}

TEST(Browser, DrawsEveryChartWithVega) {
  if (report::vega_files().empty()) GTEST_SKIP() << "built without Vega";
  std::string browser = find_program("chromium");
  if (browser.empty()) browser = find_program("google-chrome");
  if (browser.empty()) GTEST_SKIP() << "no chromium in PATH";

  const TempFolder dir;
  // The names are hostile, and must reach Vega as text.
  testing::write_run(
      dir.path(),
      testing::run_lines(60) + testing::eval_line("'</b>[0].x\\\\", 60, 0.5));
  write_report(dir.path());
  const std::string dom = dump_dom(browser, dir);
  ASSERT_FALSE(dom.empty()) << browser << " gave no document";
  // Six charts of curves and the time split. No matchers: they would print
  // a megabyte.
  for (const char* part :
       {"data-charts=\"7\"", "mark-line", "mark-symbol", "mark-rect"}) {
    EXPECT_NE(dom.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace kexue::train
