// kexue bench: one of the works of benchmarks/works, timed.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "benchmarks/works/runner.h"
#include "kexue/cli/child_process.h"
#include "kexue/cli/commands.h"
#include "kexue/cli/text_output.h"
#include "kexue/train/config.h"

namespace kexue::cli {
namespace {

using Json = nlohmann::ordered_json;

int list_works(Console& console) {
  Json rows = Json::array();
  for (const auto& work : works::all_works()) {
    rows.push_back(
        {{"name", work.name}, {"about", work.about}, {"sizes", work.sizes}});
    if (console.json()) continue;
    console.print_line(fmt::format("{:<27} {}\n{:<27} {}",
                                   work.name,
                                   work.about,
                                   "",
                                   works::text_of(work.sizes)));
  }
  if (console.json()) console.print_line(rows.dump());
  return 0;
}

int describe(const works::Work& work, Console& console) {
  Json rows = Json::array();
  const auto add = [&](const char* kind,
                       const std::vector<works::Slot>& slots) {
    for (const auto& s : slots) {
      rows.push_back(
          {{"name", s.name}, {"kind", kind}, {"type", s.type.str()}});
      if (console.json()) continue;
      console.print_line(
          fmt::format("{:<6} {:<32} {}", kind, s.name, s.type.str()));
    }
  };
  add("state", work.state);
  add("input", work.inputs);
  if (console.json()) console.print_line(rows.dump());
  return 0;
}

// A line N on stdin: N steps, answered with one JSON line of the least times.
int serve(works::LiveWork& live, Console& console) {
  console.print_line(
      Json{{"ready", true}, {"flops", live.start().flops}}.dump());
  console.flush();
  std::string line;
  while (std::getline(std::cin, line)) {
    int64_t steps = 0;
    const char* end = line.data() + line.size();
    const auto read = std::from_chars(line.data(), end, steps);
    if (read.ec != std::errc() || read.ptr != end || steps < 1) {
      throw Error(Code::kInvalidArgument,
                  "bench --serve: not a number of steps: " + line);
    }
    double wall = INFINITY;
    double cpu = INFINITY;
    double report = 0;
    for (int64_t i = 0; i < steps; ++i) {
      const auto t = live.step();
      wall = std::min(wall, t.wall_s);
      cpu = std::min(cpu, t.cpu_s);
      report = t.report;
    }
    console.print_line(Json{{"wall_s", wall},
                            {"cpu_s", cpu},
                            {"loss", report},
                            {"peak_rss_mb", works::peak_rss_mb()}}
                           .dump());
    console.flush();
  }
  return 0;
}

void print_table(const Json& row, Console& console) {
  for (const auto& [name, value] : row.items()) {
    console.print_line(fmt::format(
        "{:<16} {}",
        name,
        value.is_string() ? value.get<std::string>() : value.dump()));
  }
}

}  // namespace

int run_bench(const BenchCommandOptions& o, Console& console) {
  if (o.work.empty()) return list_works(console);
  const works::WorkDef& def = works::find_work(o.work);
  works::BenchOptions options;
  options.sizes = works::sizes_with(def, o.sizes);
  options.compute = train::precision_from_name(o.dtype);
  options.load = o.load;
  options.save = o.save;
  const works::Work work = def.make(options.sizes);
  if (o.describe) return describe(work, console);
  runtime::SessionOptions how = session_options(o.device);
  how.use_cache = !o.no_cache;
  const runtime::Session session(how);
  works::LiveWork live(session, work, options);
  if (o.serve) return serve(live, console);
  double warm_s = 0;
  const works::BenchResult r = works::measure(
      live, o.steps, [&] { warm_s = seconds_since_process_start(); });
  const Json row = {{"work", o.work},
                    {"sizes", options.sizes},
                    {"dtype", o.dtype},
                    {"steps", o.steps},
                    {"warm_s", warm_s},
                    {"from_cache", r.from_cache},
                    {"compile_s", r.compile_s},
                    {"wall_min_s", r.wall_min_s},
                    {"wall_med_s", r.wall_med_s},
                    {"cpu_min_s", r.cpu_min_s},
                    {"flops", r.flops},
                    {"gflops", r.flops / r.wall_min_s * 1e-9},
                    {"peak_rss_mb", r.peak_rss_mb},
                    {"loss0", r.report0},
                    {"loss", r.report}};
  if (console.json()) {
    console.print_line(row.dump());
  } else {
    print_table(row, console);
  }
  return 0;
}

}  // namespace kexue::cli
