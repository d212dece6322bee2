// kexue doctor: what this machine offers, and what is missing.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "kexue/cli/commands.h"
#include "kexue/cli/text_output.h"
#include "kexue/cli/version.h"
#include "kexue/kernels/parallel.h"
#include "kexue/kernels/targets.h"
#include "kexue/pjrt/plugin.h"
#include "kexue/runtime/cache.h"
#include "kexue/runtime/platform.h"

namespace kexue::cli {
namespace {

using Json = nlohmann::ordered_json;

struct FolderSize {
  int64_t files = 0;
  uint64_t bytes = 0;
};

FolderSize size_of(const std::filesystem::path& folder) {
  FolderSize size;
  std::error_code failed;
  std::filesystem::directory_iterator it(folder, failed);
  for (; !failed && it != std::filesystem::directory_iterator();
       it.increment(failed)) {
    std::error_code no_size;
    const auto bytes = it->file_size(no_size);
    if (no_size) continue;
    ++size.files;
    size.bytes += bytes;
  }
  return size;
}

Json describe_versions() {
  return {
      {"kexue", kVersion},
      {"compiler", kCompiler},
      {"oldest_plugin_api",
       fmt::format("{}.{}", pjrt::kOldestApi.major, pjrt::kOldestApi.minor)}};
}

Json describe_cpu() {
  return {{"features", runtime::cpu_features()},
          {"threads", kernels::threads()}};
}

Json describe_plugin(const runtime::Session& session) {
  const auto& plugin = session.client().plugin();
  Json row = {
      {"path", plugin.path().string()},
      {"api",
       fmt::format(
           "{}.{}", plugin.api_version().major, plugin.api_version().minor)},
      {"ffi", plugin.has_ffi()},
      {"fingerprint",
       plugin.fingerprint(runtime::cache_root() / "plugin-hashes")}};
  for (const auto& attribute : plugin.attributes()) {
    row["attributes"][attribute.name] = pjrt::to_string(attribute.value);
  }
  return row;
}

Json describe_platform(const runtime::Session& session) {
  const auto& platform = session.platform();
  Json row = {{"name", platform.name},
              {"version", session.client().platform_version()},
              {"kernels", platform.kernels},
              {"low_glue", platform.low_glue},
              {"unroll", platform.unroll},
              {"bf16_is_fast", platform.fast_bf16}};
  row["flags"] = Json::object();
  for (const auto& [name, value] : platform.flags) {
    row["flags"][name] =
        std::visit([](const auto& v) { return fmt::format("{}", v); }, value);
  }
  row["devices"] = Json::array();
  for (const auto& device : session.client().devices()) {
    row["devices"].push_back({{"id", device.id},
                              {"kind", device.kind},
                              {"description", device.description}});
  }
  return row;
}

Json describe_cache() {
  const auto root = runtime::cache_root();
  const runtime::ExecutableCache cache(root / "executables");
  const FolderSize size = size_of(cache.folder());
  Json row = {{"folder", cache.folder().string()},
              {"enabled", cache.enabled()},
              {"programs", size.files},
              {"bytes", size.bytes}};
  if (!cache.enabled()) row["why"] = cache.why();
  return row;
}

std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string out;
  for (const auto& item : value) {
    if (!out.empty()) out += ", ";
    out +=
        item.is_object() ? item["description"].get<std::string>() : plain(item);
  }
  return out.empty() ? "none" : out;
}

void print_part(const std::string& name, const Json& part, Console& console) {
  console.print_line(name);
  for (const auto& [key, value] : part.items()) {
    if (!value.is_object()) {
      console.print_line(fmt::format("  {:<18} {}", key, plain(value)));
      continue;
    }
    if (value.empty()) console.print_line(fmt::format("  {:<18} none", key));
    for (const auto& [inner, text] : value.items()) {
      console.print_line(fmt::format("  {:<18} {}", inner, plain(text)));
    }
  }
}

}  // namespace

int run_doctor(const DoctorOptions& options, Console& console) {
  Json document;
  document["versions"] = describe_versions();
  document["cpu"] = describe_cpu();
  document["cache"] = describe_cache();
  std::optional<Error> failure;
  std::string advice;
  try {
    const auto session = open_session(options.device);
    document["cpu"]["threads"] = kernels::threads();
    document["plugin"] = describe_plugin(session);
    document["platform"] = describe_platform(session);
    if (!session.platform().fast_bf16) {
      advice = "bf16 is slower than f32 here: use --precision f32";
    }
  } catch (const Error& error) {
    failure = error;
    document["plugin"] = nullptr;
    advice = error.hint().empty()
                 ? "./dev fetch plugin gets one; --plugin FILE names another"
                 : error.hint();
  }
  document["ok"] = !failure.has_value();
  if (!advice.empty()) document["advice"] = advice;
  if (failure) {
    document["error"] = {{"code", to_string(failure->code())},
                         {"text", failure->text()}};
  }
  if (console.json()) {
    console.print_line(document.dump(2));
  } else {
    for (const char* part :
         {"versions", "cpu", "cache", "plugin", "platform"}) {
      if (document.contains(part) && !document[part].is_null()) {
        print_part(part, document[part], console);
      }
    }
    if (failure) console.print_line("plugin: " + failure->text());
    if (!advice.empty()) console.print_line("advice: " + advice);
    if (!failure) console.print_line("ok");
  }
  return failure ? exit_status(failure->code()) : 0;
}

}  // namespace kexue::cli
