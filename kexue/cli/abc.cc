// kexue abc N...: the least a + b + c with N = ab + c.
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/cli/task_bar.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/printable.h"
#include "kexue/report/page.h"
#include "kexue/science/abc.h"
#include "kexue/science/abc_costs.h"

namespace kexue::cli {
namespace {

using science::AbcMethod;
using Json = nlohmann::ordered_json;

constexpr double kAskAbove = 1e9;
constexpr double kTellAbove = 1e6;

// States the cost of a long search; beyond 10^9 candidates it must be wanted.
void admit(const AbcOptions& o, const std::string& n, Console& console) {
  const std::string method = o.method == "auto" ? "pruned" : o.method;
  const double count =
      science::expected_candidates(n, science::abc_method(method));
  const std::string cost =
      fmt::format("N = {} takes {}{:.3g} candidates by method {}",
                  n.size() <= 60 ? n : n.substr(0, 57) + "...",
                  method == "pruned" ? "about " : "",
                  count,
                  method);
  if (count > kAskAbove && !o.yes) {
    throw Error(Code::kInvalidArgument,
                "abc: " + cost,
                "--yes goes ahead; --method pruned takes the fewest");
  }
  if (count > kTellAbove) console.note("kexue: " + cost);
}

void refuse_zero(const std::string& n) {
  if (!n.empty() && n.find_first_not_of('0') == std::string::npos) {
    throw Error(Code::kInvalidArgument,
                fmt::format("N is \"{}\", wanted a number of at least 1",
                            io::printable(n)),
                "0 = 0*0 + 0 has the sum 0");
  }
}

Json json_of(const std::string& n, const science::AbcResult& r) {
  return {{"n", n},
          {"s", r.s},
          {"a", r.triple.a},
          {"b", r.triple.b},
          {"c", r.triple.c},
          {"candidates", std::to_string(r.candidates)}};
}

std::string line_of(const std::string& n, const science::AbcTriple& t) {
  return fmt::format("{} = {} * {} + {}", n, t.a, t.b, t.c);
}

// What each method would look at; kPruned is run.
void print_counts(const std::string& n,
                  const science::AbcResult& best,
                  Console& console) {
  for (const AbcMethod m : science::kAbcCosted) {
    const double count = m == AbcMethod::kPruned
                             ? static_cast<double>(best.candidates)
                             : science::expected_candidates(n, m);
    console.print_line(
        fmt::format("  {:<8} {:.6g} candidates", to_string(m), count));
  }
}

void answer(const AbcOptions& o, const std::string& text, Console& console) {
  refuse_zero(text);
  admit(o, text, console);
  const double expected =
      science::expected_candidates(text, science::abc_method(o.method));
  TaskBar bar(console);
  const auto follow = [&](double done) {
    bar.update(done, expected, fmt::format("{:.3g} candidates", done));
  };
  const auto result =
      science::min_abc(text, science::abc_method(o.method), follow);
  std::vector<science::AbcTriple> all;
  if (o.all) all = science::min_abc_all(text, follow);
  bar.end();
  // Without leading zeros.
  const std::string n = text.substr(text.find_first_not_of('0'));
  if (console.json()) {
    Json row = json_of(n, result);
    if (o.all) {
      row["optima"] = Json::array();
      for (const auto& t : all) row["optima"].push_back({t.a, t.b, t.c});
    }
    console.print_line(row.dump());
    return;
  }
  console.print_line(fmt::format("S = {}: {}, {} candidates",
                                 result.s,
                                 line_of(n, result.triple),
                                 result.candidates));
  for (const auto& t : all) console.print_line("  " + line_of(n, t));
  if (o.counts) print_counts(n, result, console);
}

uint64_t whole(std::string_view text, const std::string& range) {
  uint64_t out = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("--table {}: \"{}\" is no whole number",
                            io::printable(range),
                            io::printable(text)),
                "--table 1:20000");
  }
  return out;
}

void print_row(const science::AbcRow& row, Console& console) {
  if (!console.json()) {
    console.print_line(fmt::format(
        "{},{},{},{},{},{}", row.n, row.s, row.a, row.b, row.c, row.excess));
    return;
  }
  console.print_line(fmt::format(
      R"({{"n":"{}","s":"{}","a":"{}","b":"{}","c":"{}","candidates":"{}"}})",
      row.n,
      row.s,
      row.a,
      row.b,
      row.c,
      row.candidates));
}

void print_table(const AbcOptions& o, Console& console) {
  const size_t colon = o.table.find(':');
  if (colon == std::string::npos) whole("", o.table);
  const uint64_t lo =
      whole(std::string_view(o.table).substr(0, colon), o.table);
  const uint64_t hi =
      whole(std::string_view(o.table).substr(colon + 1), o.table);
  if (lo == 0) refuse_zero("0");
  if (lo > hi) science::min_abc_table(lo, hi);  // refuses
  if (!console.json()) console.print_line("N,S,a,b,c,excess");
  // In blocks: a long table need not fit into memory.
  constexpr uint64_t kBlock = 65'536;
  TaskBar bar(console);
  for (uint64_t at = lo; at <= hi; at += kBlock) {
    const uint64_t last = hi - at < kBlock ? hi : at + kBlock - 1;
    for (const auto& row : science::min_abc_table(at, last)) {
      print_row(row, console);
    }
    bar.update(static_cast<double>(last - lo),
               static_cast<double>(hi - lo),
               fmt::format("N = {}", last));
  }
}

void write_plot(const AbcOptions& o, Console& console) {
  const auto costs = science::abc_costs(2, 17, 1, 40, o.seed);
  report::Page page("Candidates of the methods");
  page.paragraph(
      "Numbers a (article, sqrt) or p = a + b (the others) that a method "
      "looks at until the least a + b + c with N = ab + c is certain; article "
      "is not certain. Means over 40 random N in [n, 2n).");
  page.chart(science::costs_chart(costs));
  report::Table table{.columns = {"method", "slope"}};
  for (size_t m = 0; m < science::kAbcCosted.size(); ++m) {
    table.rows.push_back({to_string(science::kAbcCosted[m]),
                          fmt::format("{:.3f}", costs.slope(m))});
  }
  page.heading("Slopes of log candidates over log n");
  page.table(table);
  io::write_file(o.plot, page.html());
  if (!console.json()) console.print_line(o.plot);
}

}  // namespace

int run_abc(const AbcOptions& o, Console& console) {
  if (o.numbers.empty() && o.table.empty() && o.plot.empty()) {
    throw Error(Code::kInvalidArgument,
                "abc: give a number, --table LO:HI or --plot FILE.html",
                "kexue abc 130");
  }
  for (const std::string& n : o.numbers) answer(o, n, console);
  if (!o.table.empty()) print_table(o, console);
  if (!o.plot.empty()) write_plot(o, console);
  return 0;
}

}  // namespace kexue::cli
