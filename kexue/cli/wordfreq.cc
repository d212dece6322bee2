// kexue wordfreq: token<TAB>count of files, folders and streams.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

#include "kexue/cli/task_bar.h"
#include "kexue/cli/text_output.h"
#include "kexue/cli/wordfreq.h"
#include "kexue/io/printable.h"
#include "kexue/text/word_count.h"

namespace kexue::cli {
namespace {

using Clock = std::chrono::steady_clock;

double mb(uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

// A mapped file that another process makes shorter cannot be read on.
void explain_bus_errors() {
  struct sigaction action = {};
  action.sa_handler = [](int) {
    constexpr std::string_view kText =
        "kexue: error: a mapped file became shorter while it was read\n";
    [[maybe_unused]] const auto n =
        ::write(STDERR_FILENO, kText.data(), kText.size());
    ::_exit(3);
  };
  ::sigaction(SIGBUS, &action, nullptr);
}

text::CountMode mode_of(const std::string& name) {
  if (name == "naive") return text::CountMode::kNaive;
  if (name == "batched") return text::CountMode::kBatched;
  if (name == "radix") return text::CountMode::kRadix;
  return text::CountMode::kAuto;
}

void print_json(const WordfreqOptions& o,
                const text::WordCounts& counts,
                double seconds,
                Console& console) {
  const text::CountStatistics& s = counts.statistics();
  nlohmann::ordered_json out;
  out["tokenizer"] = o.tokenizer;
  out["mode"] = o.mode;
  out["files"] = s.files;
  out["bytes"] = s.file_bytes;
  out["text_bytes"] = s.text_bytes;
  out["tokens"] = s.tokens;
  out["distinct"] = s.distinct;
  out["replaced"] = s.replaced;
  out["spills"] = s.spills;
  out["seconds"] = seconds;
  out["mb_per_s"] = seconds > 0 ? mb(s.text_bytes) / seconds : 0.0;
  if (!o.out.empty()) out["out"] = o.out;
  auto& top = out["top"] = nlohmann::ordered_json::array();
  const size_t shown = o.top >= 0      ? static_cast<size_t>(o.top)
                       : o.out.empty() ? std::numeric_limits<size_t>::max()
                                       : 0;
  counts.for_each(
      {.top = shown, .min_count = static_cast<uint64_t>(o.min_count)},
      [&](std::string_view token, uint64_t n) {
        top.push_back({{"token", std::string(token)}, {"count", n}});
      });
  // Tokens of the tokenizer ws may be no UTF-8.
  console.print_line(
      out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_lines(const WordfreqOptions& o,
                 const text::TableCut& cut,
                 const text::WordCounts& counts,
                 Console& console) {
  if (!o.out.empty()) return;
  counts.for_each(cut, [&](std::string_view token, uint64_t n) {
    console.print(token);
    console.print_line(fmt::format("\t{}", n));
  });
}

}  // namespace

text::CountOptions count_options(const WordfreqOptions& o) {
  return {.threads = static_cast<int>(o.threads),
          .mode = mode_of(o.mode),
          .batch = o.batch,
          .strict = o.strict,
          .map_files = o.map_files,
          .memory_bytes = static_cast<uint64_t>(o.memory_mb) << 20,
          .spill_folder = o.spill_folder};
}

int run_wordfreq(const WordfreqOptions& o, Console& console) {
  if (o.map_files) explain_bus_errors();
  const auto splitter = make_splitter(o);
  if (o.bench) return run_wordfreq_bench(o, *splitter, console);
  auto options = count_options(o);
  const auto begun = Clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(Clock::now() - begun).count();
  };
  text::WordCounts counts;
  {
    TaskBar bar(console);
    options.progress = [&](const text::CountProgress& p) {
      const double rate = mb(p.bytes) / std::max(seconds(), 1e-9);
      bar.update(mb(p.bytes),
                 p.total > 0 ? mb(p.total) : 0,
                 fmt::format("{:.1f} MB  {:.0f} MB/s", mb(p.bytes), rate));
    };
    counts = text::count_words(o.inputs, *splitter, options);
  }
  const double spent = seconds();
  const text::TableCut cut{.top = o.top >= 0
                                      ? static_cast<size_t>(o.top)
                                      : std::numeric_limits<size_t>::max(),
                           .min_count = static_cast<uint64_t>(o.min_count)};
  const text::CountStatistics& s = counts.statistics();
  if (!o.out.empty()) counts.save_tsv(o.out, cut);
  if (s.replaced > 0) {
    console.note(fmt::format(
        "kexue: warning: {} places of broken UTF-8 counted as U+FFFD",
        s.replaced));
  }
  console.note(fmt::format(
      "kexue: {} tokens, {} different, {:.1f} MB in {} files, {:.2f} s, "
      "{:.0f} MB/s{}",
      s.tokens,
      s.distinct,
      mb(s.text_bytes),
      s.files,
      spent,
      mb(s.text_bytes) / std::max(spent, 1e-9),
      s.spills > 0 ? fmt::format(", {} tables spilled to disk", s.spills)
                   : ""));
  if (console.json()) {
    print_json(o, counts, spent, console);
  } else {
    print_lines(o, cut, counts, console);
  }
  return 0;
}

}  // namespace kexue::cli
