#include "kexue/kernels/group_norm_targets.h"

#include <string>
#include <string_view>

#include "kexue/base/error.h"
#include "kexue/kernels/group_norm.h"

namespace kexue::kernels::detail {
namespace {

using pjrt::FfiBuffer;
using pjrt::FfiCall;

void require(bool ok, std::string_view what) {
  if (ok) return;
  throw Error(Code::kInvalidArgument,
              "kernels: custom call with wrong " + std::string(what));
}

int64_t count(const FfiBuffer& x) {
  int64_t n = 1;
  for (const int64_t d : x.dims) n *= d;
  return n;
}

FloatsIn in(const FfiBuffer& x, int64_t n, std::string_view what) {
  require(count(x) == n, what);
  return {x.data, x.dtype};
}

FloatsOut out(const FfiBuffer& x, int64_t n, std::string_view what) {
  require(count(x) == n, what);
  return {x.data, x.dtype};
}

float* row_values(const FfiBuffer& x,
                  const GroupNormSpec& s,
                  std::string_view what) {
  require(x.dtype == DType::kF32 && count(x) == s.batch * s.groups, what);
  return static_cast<float*>(x.data);
}

// From x [B,...,C] and the attributes.
GroupNormSpec spec_of(const FfiCall& call, const FfiBuffer& x) {
  require(x.dims.size() >= 2, "rank");
  GroupNormSpec s{.batch = x.dims.front(),
                  .positions = 1,
                  .channels = x.dims.back(),
                  .groups = call.attr_int("groups"),
                  .silu = call.attr_int("silu") != 0};
  for (size_t i = 1; i + 1 < x.dims.size(); ++i) s.positions *= x.dims[i];
  require(s.groups >= 1 && s.channels % s.groups == 0, "groups");
  return s;
}

void require_counts(const FfiCall& call, size_t args, size_t results) {
  require(call.args().size() == args, "number of arguments");
  require(call.results().size() == results, "number of results");
}

void call_group_norm(const FfiCall& call) {
  require_counts(call, 3, 3);
  const auto args = call.args();
  const auto results = call.results();
  const GroupNormSpec s = spec_of(call, args[0]);
  const int64_t n = count(args[0]);
  group_norm(s,
             static_cast<float>(call.attr_float("eps")),
             in(args[0], n, "x"),
             in(args[1], s.channels, "gamma"),
             in(args[2], s.channels, "beta"),
             out(results[0], n, "result"),
             row_values(results[1], s, "mean"),
             row_values(results[2], s, "rstd"));
}

void call_group_norm_grad(const FfiCall& call) {
  require_counts(call, 6, 3);
  const auto args = call.args();
  const auto results = call.results();
  const GroupNormSpec s = spec_of(call, args[1]);
  const int64_t n = count(args[1]);
  group_norm_grad(s,
                  in(args[0], n, "dz"),
                  in(args[1], n, "x"),
                  in(args[2], s.channels, "gamma"),
                  in(args[3], s.channels, "beta"),
                  row_values(args[4], s, "mean"),
                  row_values(args[5], s, "rstd"),
                  out(results[0], n, "result"),
                  out(results[1], s.channels, "dgamma"),
                  out(results[2], s.channels, "dbeta"));
}

}  // namespace

std::vector<pjrt::FfiTarget> group_norm_targets() {
  return {pjrt::ffi_target<call_group_norm>("kexue_group_norm"),
          pjrt::ffi_target<call_group_norm_grad>("kexue_group_norm_grad")};
}

}  // namespace kexue::kernels::detail
