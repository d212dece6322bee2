// kexue wordfreq --bench: the table of note 7031, and the laws behind it.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/cli/wordfreq.h"
#include "kexue/io/atomic_file.h"
#include "kexue/report/page.h"
#include "kexue/text/word_bench.h"

namespace kexue::cli {
namespace {

using text::BenchRow;
using text::WordBench;

constexpr double kMega = 1e6;

report::Table table_of(const WordBench& bench) {
  report::Table table{.columns = {"way",
                                  "threads",
                                  "s, least",
                                  "s, median",
                                  "CPU s",
                                  "MB/s",
                                  "Mtokens/s",
                                  "speed-up",
                                  "e, naive",
                                  "e, best serial",
                                  "distinct",
                                  "peak MB"}};
  for (const BenchRow& r : bench.rows) {
    table.rows.push_back(
        {r.name,
         std::to_string(r.threads),
         fmt::format("{:.4f}", r.least_s),
         fmt::format("{:.4f}", r.median_s),
         fmt::format("{:.4f}", r.cpu_s),
         fmt::format("{:.1f}",
                     static_cast<double>(bench.text_bytes) / r.least_s / kMega),
         fmt::format("{:.2f}",
                     static_cast<double>(bench.tokens) / r.least_s / kMega),
         fmt::format("{:.2f}", bench.speed_up(r)),
         fmt::format("{:.2f}", bench.efficiency(r)),
         fmt::format("{:.2f}", bench.efficiency_to_best_serial(r)),
         r.distinct > 0 ? std::to_string(r.distinct) : "-",
         r.memory_bytes > 0
             ? fmt::format("{:.1f}",
                           static_cast<double>(r.memory_bytes) / kMega)
             : "-"});
  }
  return table;
}

std::string text_of(const report::Table& table) {
  std::vector<size_t> widths;
  for (const auto& c : table.columns) widths.push_back(c.size());
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string out;
  const auto add = [&](const std::vector<std::string>& cells) {
    out += fmt::format("{:<{}}", cells[0], widths[0]);
    for (size_t i = 1; i < cells.size(); ++i) {
      out += fmt::format("  {:>{}}", cells[i], widths[i]);
    }
    out += "\n";
  };
  add(table.columns);
  for (const auto& row : table.rows) add(row);
  return out;
}

std::string laws(const WordBench& b) {
  return fmt::format(
      "Heaps: distinct = {:.3g} n^{:.3f}; Zipf: frequency of rank r ~ "
      "r^-{:.3f} (1/beta = {:.3f})",
      b.heaps_k,
      b.heaps_beta,
      b.zipf_s,
      b.heaps_beta > 0 ? 1 / b.heaps_beta : 0.0);
}

report::Chart heaps_chart(const WordBench& b) {
  report::Chart chart{.id = "heaps",
                      .title = "Distinct tokens",
                      .x_title = "tokens",
                      .log_x = true,
                      .log_y = true};
  report::Curve seen{.name = "measured"};
  report::Curve law{.name = "Heaps' law", .colour = 1};
  for (const auto& [n, d] : b.growth) {
    chart.x.push_back(static_cast<double>(n));
    seen.y.push_back(static_cast<double>(d));
    law.y.push_back(b.heaps_k * std::pow(static_cast<double>(n), b.heaps_beta));
  }
  chart.curves = {seen, law};
  return chart;
}

report::Chart zipf_chart(const WordBench& b) {
  report::Chart chart{.id = "zipf",
                      .title = "Count by rank",
                      .x_title = "rank",
                      .log_x = true,
                      .log_y = true};
  report::Curve seen{.name = "measured"};
  for (const auto& [rank, count] : b.ranks) {
    chart.x.push_back(static_cast<double>(rank));
    seen.y.push_back(static_cast<double>(count));
  }
  chart.curves = {seen};
  return chart;
}

void write_page(const WordBench& b, const std::string& path) {
  report::Page page("Word counts");
  page.paragraph(fmt::format(
      "{:.1f} MB, {} tokens, {} different. Each way took its turn {} times; "
      "the least and the median time count. Speed-up is against naive, e is "
      "speed-up by thread, and \"best serial\" is the fastest way with one "
      "thread. Every way gave the same table.",
      static_cast<double>(b.text_bytes) / kMega,
      b.tokens,
      b.distinct,
      b.repeats));
  page.table(table_of(b));
  report::Bars bars{.title = "Megabytes per second", .unit = "MB/s"};
  for (const BenchRow& r : b.rows) {
    bars.rows.emplace_back(
        fmt::format("{}, {} threads", r.name, r.threads),
        static_cast<double>(b.text_bytes) / r.least_s / kMega);
  }
  page.bars(bars);
  page.heading("Growth of the vocabulary");
  page.paragraph(laws(b));
  page.chart(heaps_chart(b));
  page.chart(zipf_chart(b));
  io::write_file(path, page.html());
}

nlohmann::ordered_json json_of(const WordBench& b) {
  nlohmann::ordered_json out;
  out["text_bytes"] = b.text_bytes;
  out["tokens"] = b.tokens;
  out["distinct"] = b.distinct;
  out["repeats"] = b.repeats;
  out["peak_rss_bytes"] = b.peak_rss_bytes;
  out["heaps"] = {{"k", b.heaps_k}, {"beta", b.heaps_beta}};
  out["zipf_s"] = b.zipf_s;
  auto& rows = out["rows"] = nlohmann::ordered_json::array();
  for (const BenchRow& r : b.rows) {
    rows.push_back(
        {{"way", r.name},
         {"threads", r.threads},
         {"seconds", r.least_s},
         {"median_seconds", r.median_s},
         {"cpu_seconds", r.cpu_s},
         {"speed_up", b.speed_up(r)},
         {"efficiency", b.efficiency(r)},
         {"efficiency_to_best_serial", b.efficiency_to_best_serial(r)},
         {"peak_bytes", r.memory_bytes}});
  }
  return out;
}

}  // namespace

int run_wordfreq_bench(const WordfreqOptions& o,
                       const text::WordSplitter& splitter,
                       Console& console) {
  const WordBench bench = text::bench_words(
      o.inputs, splitter, count_options(o), static_cast<int>(o.repeats));
  if (!o.page.empty()) write_page(bench, o.page);
  if (console.json()) {
    console.print_line(json_of(bench).dump());
    return 0;
  }
  console.print(text_of(table_of(bench)));
  console.print_line(laws(bench));
  console.print_line(fmt::format(
      "{:.1f} MB, {} tokens, {} different; peak memory {:.0f} MB; all tables "
      "equal",
      static_cast<double>(bench.text_bytes) / kMega,
      bench.tokens,
      bench.distinct,
      static_cast<double>(bench.peak_rss_bytes) / kMega));
  return 0;
}

}  // namespace kexue::cli
