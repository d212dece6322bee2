// The program: its words, its errors, its exit status.
#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/cli/command_table.h"
#include "kexue/cli/console.h"
#include "kexue/cli/signals.h"

namespace {

using namespace kexue::cli;

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

[[noreturn]] void refuse_command(std::string_view word) {
  const std::string shown(word.substr(0, 64));
  const auto names = command_names();
  const auto nearest = std::min_element(
      names.begin(), names.end(), [&](const auto& a, const auto& b) {
        return edit_distance(shown, a) < edit_distance(shown, b);
      });
  throw kexue::Error(
      kexue::Code::kInvalidArgument,
      "unknown command \"" + shown + "\"",
      "did you mean \"" + *nearest + "\"? kexue --help lists all");
}

void refuse_unknown_command(const std::vector<std::string>& words) {
  if (words.empty() || words[0].starts_with('-')) return;
  const auto names = command_names();
  if (std::find(names.begin(), names.end(), words[0]) == names.end()) {
    refuse_command(words[0]);
  }
}

// Every way a command can end, as an exit status.
int run_guarded(const std::vector<std::string>& words, Console& console) {
  using kexue::Code;
  using kexue::Error;
  try {
    refuse_unknown_command(words);
    const int status = run_command(words, console);
    console.flush();
    return status;
  } catch (const Error& error) {
    return report_error(console, error);
  } catch (const std::bad_alloc&) {
    return report_error(
        console,
        Error(Code::kDevice, "out of memory", "a smaller batch needs less"));
  } catch (const std::exception& error) {
    return report_error(console,
                        Error(Code::kInternal, error.what(), "please report"));
  }
}

}  // namespace

int main(int argc, char** argv) {
  make_write_failures_errors();
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  Console console(std::find(words.begin(), words.end(), "--json") !=
                  words.end());
  make_lost_mappings_errors(console.json());
  try {
    const int status = run_guarded(words, console);
    console.flush();
    return status;
  } catch (const ClosedPipe&) {
    return 0;
  } catch (const kexue::Error& error) {  // stdout refused the error itself
    console.note("kexue: error: " + error.text());
    return exit_status(error.code());
  }
}
