#include "kexue/cli/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/file_system.h"

extern char** environ;

namespace kexue::cli {
namespace {

std::string read_all(int fd) {
  std::string out;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t n = read(fd, part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out;
    out.append(part.data(), static_cast<size_t>(n));
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw io::os_error("waitpid", "child", -errno);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ChildResult run_self(const std::vector<std::string>& arguments) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  std::vector<std::string> words = {"kexue"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw io::os_error("pipe", "of a child process", -errno);
  }
  io::Descriptor from_child(io::real_fs(), ends[0]);
  io::Descriptor to_us(io::real_fs(), ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_us.get(), STDOUT_FILENO);
  pid_t child = 0;
  const int failed = posix_spawn(
      &child, self.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw io::os_error("run", self, -failed);
  to_us.close();
  ChildResult result;
  result.output = read_all(from_child.get());
  result.status = wait_for(child);
  return result;
}

double seconds_since_process_start() {
  const std::string stat = io::read_file("/proc/self/stat", 1 << 16);
  // The name in parentheses may hold anything; 20 fields on stands the start.
  std::string_view rest(stat);
  rest.remove_prefix(std::min(rest.rfind(')') + 1, rest.size()));
  for (int field = 0; field < 20; ++field) {
    rest.remove_prefix(std::min(rest.find(' ', 0) + 1, rest.size()));
  }
  uint64_t ticks = 0;
  const auto read =
      std::from_chars(rest.data(), rest.data() + rest.size(), ticks);
  timespec now{};
  if (read.ec != std::errc{} || clock_gettime(CLOCK_BOOTTIME, &now) != 0) {
    throw Error(Code::kUnsupported, "/proc/self/stat has an unknown form");
  }
  const double up =
      static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  return up -
         static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace kexue::cli
