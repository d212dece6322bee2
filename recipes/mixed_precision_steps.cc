#include "recipes/mixed_precision_steps.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>

#include "kexue/io/atomic_file.h"
#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/runtime/op_by_op.h"

namespace kexue::recipes {
namespace {

namespace fs = std::filesystem;
using runtime::DeviceArray;
using runtime::Session;
using runtime::SessionOptions;

constexpr uint64_t kMaxDump = uint64_t{1} << 28;

double median_ms(int repeats, const std::function<void()>& run) {
  std::vector<double> ms;
  for (int i = -2; i < repeats; ++i) {  // two to warm up
    const auto begin = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - begin;
    if (i >= 0) ms.push_back(took.count());
  }
  std::nth_element(ms.begin(), ms.begin() + repeats / 2, ms.end());
  return ms[static_cast<size_t>(repeats / 2)];
}

// A graph with arguments for it.
struct Call {
  std::unique_ptr<ir::Graph> graph;
  std::vector<HostArray> args;
};

class Uploaded final {
 public:
  Uploaded(const Session& session, const std::vector<HostArray>& args) {
    for (const auto& a : args) arrays_.push_back(session.to_device(a));
    for (const auto& a : arrays_) pointers_.push_back(&a);
  }
  std::span<const DeviceArray* const> args() const { return pointers_; }

 private:
  std::vector<DeviceArray> arrays_;
  std::vector<const DeviceArray*> pointers_;
};

// The text of the optimised module among what the compiler left; everything
// else goes.
std::string keep_optimised(const std::string& folder) {
  std::string text;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().ends_with("after_optimizations.txt")) {
      text += io::read_file(entry.path().string(), kMaxDump);
    } else {
      fs::remove(entry.path(), ignored);
    }
  }
  return text;
}

int64_t count_of(const std::string& text, const std::string& part) {
  int64_t n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos;
       at += part.size()) {
    ++n;
  }
  return n;
}

StepFigures run_whole(SessionOptions options,
                      const Call& call,
                      const runtime::CompileOptions& compile,
                      int repeats,
                      const std::string& dump) {
  // What comes from the cache is not compiled, so nothing would be dumped.
  options.use_cache = false;
  options.extra_flags["xla_dump_to"] = dump;
  options.extra_flags["xla_dump_hlo_as_text"] = true;
  const Session session(options);
  const auto program = session.compile(*call.graph, compile);
  const Uploaded uploaded(session, call.args);
  StepFigures out;
  out.fusions = count_of(keep_optimised(dump), " fusion(");
  out.ms =
      median_ms(repeats, [&] { program.run(uploaded.args()).back().await(); });
  try {
    out.peak_bytes = program.memory().total();
  } catch (const Error& e) {
    if (e.code() != Code::kUnsupported) throw;
  }
  return out;
}

StepFigures run_op_by_op(const Session& session,
                         const Call& call,
                         const runtime::CompileOptions& compile,
                         int repeats) {
  const runtime::OpByOp ops(session, *call.graph, compile);
  const Uploaded uploaded(session, call.args);
  StepFigures out;
  out.programs = static_cast<int64_t>(ops.ops());
  out.ms = median_ms(repeats, [&] {
    for (const auto& array : ops.run(uploaded.args())) array.await();
  });
  return out;
}

Call step_call(const StepSubject& s) {
  const optim::AdamW optimizer{optim::AdamWOptions{}};
  Call call;
  call.graph = train::build_step(
                   s.params, s.loss, optimizer, train::types_of(s.batch), {})
                   .graph;
  call.args = train::initial_state(
      train::state_layout(s.params, optimizer), s.values, {});
  for (const auto& [_, array] : s.batch) call.args.push_back(array);
  call.args.push_back(train::Hyper{}.array());
  return call;
}

}  // namespace

StepFigures whole_step(const SessionOptions& options,
                       const StepSubject& subject,
                       DType compute,
                       int repeats,
                       const std::string& dump) {
  runtime::CompileOptions compile;
  compile.compute = compute;
  return run_whole(options, step_call(subject), compile, repeats, dump);
}

StepFigures step_op_by_op(const Session& session,
                          const StepSubject& subject,
                          DType compute,
                          int repeats) {
  runtime::CompileOptions compile;
  compile.compute = compute;
  return run_op_by_op(session, step_call(subject), compile, repeats);
}

ChainTimes time_chain(const std::string& plugin,
                      int64_t rows,
                      int64_t columns,
                      const std::string& dump) {
  const TensorType wide{DType::kF32, {rows, columns}};
  const TensorType bias{DType::kF32, {columns}};
  Call call;
  call.graph = runtime::trace(
      [](const Values& in) -> Values {
        return {ops::gelu(in[0] + in[1]) + in[2]};
      },
      {wide, bias, wide});
  call.args = {HostArray::full(wide, 0.5),
               HostArray::full(bias, 0.25),
               HostArray::full(wide, 1)};
  const SessionOptions options{.plugin = plugin, .use_kernels = false};
  const auto whole = run_whole(options, call, {}, 21, dump);
  const auto single = run_op_by_op(Session(options), call, {}, 21);
  return {
      .whole_ms = whole.ms, .op_by_op_ms = single.ms, .fusions = whole.fusions};
}

}  // namespace kexue::recipes
