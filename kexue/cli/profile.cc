// kexue profile: where the time of a step goes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "benchmarks/works/runner.h"
#include "kexue/cli/commands.h"
#include "kexue/cli/profile_page.h"
#include "kexue/cli/step_subject.h"
#include "kexue/cli/text_output.h"
#include "kexue/io/atomic_file.h"
#include "kexue/ops/linalg.h"
#include "kexue/runtime/jit.h"
#include "kexue/runtime/op_by_op.h"

namespace kexue::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Subject {
  StepProgram step;
  std::string dtype;  // where --dtype is not given
};

StepProgram program_of_work(const ProfileOptions& o) {
  const works::WorkDef& def = works::find_work(o.subject);
  const works::Work work = def.make(works::sizes_with(def, o.sizes));
  StepProgram p;
  p.graph = works::trace_step(work);
  for (auto& [name, start] : works::start_values(work, {})) {
    p.args.push_back(start);
  }
  return p;
}

Subject subject_of(const ProfileOptions& o, Console& console) {
  if (!o.subject.ends_with(".toml")) return {program_of_work(o), "f32"};
  if (!o.sizes.empty()) {
    throw Error(Code::kInvalidArgument,
                "profile: --sizes belongs to a work, not to a config");
  }
  const auto config = train::read_run_config(o.subject);
  const auto subject = step_subject(
      config, [&](const std::string& line) { console.note(line); });
  return {step_program(subject), config.precision};
}

// GFLOP/s of one large product: what the machine gives at best.
double peak_gflops(const runtime::Session& session, DType compute) {
  constexpr int64_t kSize = 1024;
  const TensorType type{DType::kF32, {kSize, kSize}};
  runtime::CompileOptions how;
  how.compute = compute;
  const auto graph = runtime::trace(
      [](const Values& x) -> Values {
        return {ops::einsum("ij,jk->ik", x[0], x[1])};
      },
      {type, type});
  const runtime::OpByOp op(session, *graph, how);
  const auto a = session.to_device(HostArray::full(type, 0.5));
  const runtime::DeviceArray* args[] = {&a, &a};
  const auto& infos = op.infos();
  double best = 0;
  for (int i = 0; i < 8; ++i) {
    const auto seconds = op.time(args);
    for (size_t k = 0; k < infos.size(); ++k) {
      best = std::max(best, infos[k].flops / seconds[k] * 1e-9);
    }
  }
  return best;
}

struct Sum {
  double seconds = 0;
  double flops = 0;
  double bytes = 0;
  int64_t calls = 0;
};

// Rows with the most time first.
Json table_of(const std::map<std::string, Sum>& sums,
              const char* key,
              double total_s,
              double peak) {
  std::vector<std::pair<std::string, Sum>> rows(sums.begin(), sums.end());
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second.seconds > b.second.seconds;
  });
  Json table = Json::array();
  for (const auto& [name, s] : rows) {
    const double gflops = s.flops / s.seconds * 1e-9;
    table.push_back({{key, name},
                     {"calls", s.calls},
                     {"ms", s.seconds * 1e3},
                     {"share", s.seconds / total_s},
                     {"gflop", s.flops * 1e-9},
                     {"gb", s.bytes * 1e-9},
                     {"gflops", gflops},
                     {"gb_per_s", s.bytes / s.seconds * 1e-9},
                     {"of_peak", gflops / peak}});
  }
  return table;
}

Json measure(const runtime::Session& session,
             const ProfileOptions& o,
             Console& console) {
  const auto [step, usual] = subject_of(o, console);
  const std::string dtype = o.dtype.empty() ? usual : o.dtype;
  runtime::CompileOptions how;
  how.compute = train::precision_from_name(dtype);
  const runtime::OpByOp ops(session, *step.graph, how);
  std::vector<runtime::DeviceArray> buffers;
  for (const auto& a : step.args) buffers.push_back(session.to_device(a));
  std::vector<const runtime::DeviceArray*> args;
  for (const auto& b : buffers) args.push_back(&b);
  std::vector<double> least(ops.infos().size(), INFINITY);
  for (int64_t i = 0; i <= o.repeats; ++i) {
    const auto seconds = ops.time(args);
    for (size_t k = 0; k < least.size(); ++k) {
      least[k] = std::min(least[k], seconds[k]);
    }
  }
  std::map<std::string, Sum> by_scope;
  std::map<std::string, Sum> by_op;
  Sum total;
  for (size_t k = 0; k < least.size(); ++k) {
    const auto& info = ops.infos()[k];
    const std::string scope = info.scope.empty() ? "(none)" : info.scope;
    for (Sum* s : {&by_scope[scope], &by_op[info.op], &total}) {
      s->seconds += least[k];
      s->flops += info.flops;
      s->bytes += info.bytes;
      ++s->calls;
    }
  }
  const double peak = peak_gflops(session, how.compute);
  return {{"subject", o.subject},
          {"dtype", dtype},
          {"ms", total.seconds * 1e3},
          {"gflop", total.flops * 1e-9},
          {"peak_gflops", peak},
          {"of_peak", total.flops / total.seconds * 1e-9 / peak},
          {"by_scope", table_of(by_scope, "scope", total.seconds, peak)},
          {"by_op", table_of(by_op, "op", total.seconds, peak)}};
}

void print_rows(const Json& rows, const char* key, Console& console) {
  console.print_line(fmt::format("{:<40} {:>6} {:>9} {:>6} {:>9} {:>8} {:>6}",
                                 key,
                                 "calls",
                                 "ms",
                                 "share",
                                 "GFLOP/s",
                                 "GB/s",
                                 "peak"));
  for (const auto& r : rows) {
    console.print_line(fmt::format(
        "{:<40} {:>6} {:>9.3f} {:>5.1f}% {:>9.1f} {:>8.1f} {:>5.0f}%",
        r[key].get<std::string>(),
        r["calls"].get<int64_t>(),
        r["ms"].get<double>(),
        100 * r["share"].get<double>(),
        r["gflops"].get<double>(),
        r["gb_per_s"].get<double>(),
        100 * r["of_peak"].get<double>()));
  }
  console.print_line("");
}

}  // namespace

int run_profile(const ProfileOptions& o, Console& console) {
  const auto session = open_session(o.device);
  const Json result = measure(session, o, console);
  if (!o.page.empty())
    io::write_file(o.page, std::string_view(profile_page(result.dump())));
  if (console.json()) {
    console.print_line(result.dump());
    return 0;
  }
  print_rows(result["by_scope"], "scope", console);
  print_rows(result["by_op"], "op", console);
  console.print_line(fmt::format(
      "sum of the ops {:.2f} ms, each run alone; products at {:.0f}% of {:.0f} "
      "GFLOP/s, this machine's best",
      result["ms"].get<double>(),
      100 * result["of_peak"].get<double>(),
      result["peak_gflops"].get<double>()));
  return 0;
}

}  // namespace kexue::cli
