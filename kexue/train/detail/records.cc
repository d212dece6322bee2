#include "kexue/train/detail/records.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <variant>

#include "kexue/kernels/parallel.h"
#include "kexue/runtime/cache.h"

namespace kexue::train::detail {
namespace {

using nlohmann::ordered_json;

// Paths need not be UTF-8.
std::string text(const ordered_json& json, int indent = -1) {
  return json.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json fields(const EvalReport& r) {
  ordered_json out = {{"split", r.split}, {"step", r.step}, {"loss", r.loss}};
  for (const auto& [name, value] : r.metrics) out[name] = value;
  out["rows"] = r.rows;
  out["seconds"] = r.seconds;
  return out;
}

ordered_json object_of(const MetricValues& values) {
  ordered_json out = ordered_json::object();
  for (const auto& [name, value] : values) out[name] = value;
  return out;
}

ordered_json flags_of(const runtime::Session& session) {
  ordered_json out = ordered_json::object();
  for (const auto& [name, value] : session.platform().flags) {
    std::visit([&](const auto& x) { out[name] = x; }, value);
  }
  return out;
}

}  // namespace

std::string to_json(const StepReport& r) {
  ordered_json json = {{"kind", "step"},
                       {"step", r.step},
                       {"total_steps", r.total_steps},
                       {"epoch", r.epoch},
                       {"loss", r.loss}};
  for (const auto& [name, value] : r.metrics) json[name] = value;
  json.update({{"lr", r.lr},
               {"grad_norm", r.grad_norm},
               {"grad_norms", object_of(r.grad_norms)},
               {"scale", r.scale},
               {"skipped", r.skipped},
               {"tokens", r.tokens},
               {"padded_tokens", r.padded_tokens},
               {"step_s", r.step_s},
               {"input_s", r.input_s},
               {"compile_s", r.compile_s},
               {"rss_bytes", r.rss_bytes}});
  for (const auto& [name, value] : r.groups) json[name] = value;
  return text(json);
}

std::string to_json(const EvalReport& r) {
  ordered_json json = {{"kind", "eval"}};
  json.update(fields(r));
  return text(json);
}

std::string to_json(const FineTuneResult& r) {
  ordered_json evals = ordered_json::array();
  for (const auto& e : r.evals) evals.push_back(fields(e));
  return text({{"kind", "done"},
               {"folder", r.folder},
               {"evals", evals},
               {"steps", r.steps},
               {"skipped", r.skipped},
               {"train_s", r.train_s},
               {"compile_s", r.compile_s},
               {"first_step_s", r.first_step_s},
               {"step_s", r.step_s},
               {"input_s", r.input_s},
               {"tokens_per_s", r.tokens_per_s},
               {"padding_share", r.padding_share},
               {"programs", r.programs},
               {"from_cache", r.from_cache},
               {"interrupted", r.interrupted},
               {"stopped_early", r.stopped_early},
               {"program_bytes", r.program_bytes},
               {"peak_rss_bytes", r.peak_rss_bytes}});
}

std::string error_json(const std::string& what, int64_t step) {
  return text({{"kind", "error"}, {"step", step}, {"text", what}});
}

std::string environment_json(const runtime::Session& session,
                             const RunConfig& config) {
  const pjrt::Plugin& plugin = session.client().plugin();
  ordered_json attributes = ordered_json::object();
  for (const auto& a : plugin.attributes()) {
    attributes[a.name] = pjrt::to_string(a.value);
  }
  ordered_json devices = ordered_json::array();
  for (const auto& d : session.client().devices()) {
    devices.push_back(d.description);
  }
  const auto version = plugin.api_version();
  const auto precision =
      session.precision({precision_from_name(config.precision), {}, {}, {}});
  return text({{"kexue", KEXUE_VERSION},
               {"compiler", __VERSION__},
               {"plugin",
                {{"path", plugin.path().string()},
                 {"api", fmt::format("{}.{}", version.major, version.minor)},
                 {"fingerprint",
                  plugin.fingerprint(runtime::cache_root() / "plugin-hashes")},
                 {"attributes", attributes}}},
               {"platform", session.client().platform_name()},
               {"platform_version", session.client().platform_version()},
               {"devices", devices},
               {"cpu_features", runtime::cpu_features()},
               {"flags", flags_of(session)},
               {"kernels", session.platform().kernels},
               {"precision", config.precision},
               {"low_glue", precision.low_glue},
               {"unroll", session.platform().unroll},
               {"threads", kernels::threads()},
               {"host_cores", std::thread::hardware_concurrency()}},
              2) +
         "\n";
}

}  // namespace kexue::train::detail
