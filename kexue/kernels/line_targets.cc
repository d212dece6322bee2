#include "kexue/kernels/line_targets.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "kexue/base/error.h"
#include "kexue/kernels/order.h"
#include "kexue/kernels/running.h"

namespace kexue::kernels::detail {
namespace {

using pjrt::FfiBuffer;
using pjrt::FfiCall;

void require(bool ok, std::string_view what) {
  if (ok) return;
  throw Error(Code::kInvalidArgument,
              "kernels: custom call with wrong " + std::string(what));
}

struct Lines {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;

  // Of argument 0 along attribute "axis".
  explicit Lines(const FfiCall& call) {
    require(!call.args().empty(), "number of arguments");
    const auto dims = call.args()[0].dims;
    const int64_t axis = call.attr_int("axis");
    require(axis >= 0 && axis < static_cast<int64_t>(dims.size()), "axis");
    for (size_t i = 0; i < dims.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      (at < axis ? outer : at > axis ? inner : size) *= dims[i];
    }
  }
};

bool same_dims(const FfiBuffer& a, const FfiBuffer& b) {
  return std::equal(a.dims.begin(), a.dims.end(), b.dims.begin(), b.dims.end());
}

// Results are the arguments in the order of argument 0.
void call_sort(const FfiCall& call) {
  const auto args = call.args();
  const auto results = call.results();
  const Lines lines(call);
  require(results.size() == args.size(), "number of results");
  std::vector<SortMove> moves;
  for (size_t i = 0; i < args.size(); ++i) {
    require(same_dims(args[i], args[0]) && same_dims(results[i], args[0]),
            "shape");
    require(results[i].dtype == args[i].dtype, "result type");
    moves.push_back({args[i].data,
                     results[i].data,
                     static_cast<int64_t>(size_bytes(args[i].dtype))});
  }
  sort_lines({.outer = lines.outer,
              .size = lines.size,
              .inner = lines.inner,
              .descending = call.attr_int("descending") != 0},
             args[0].dtype,
             args[0].data,
             moves);
}

// x -> values, places.
void call_top_k(const FfiCall& call) {
  require(call.args().size() == 1, "number of arguments");
  require(call.results().size() == 2, "number of results");
  const FfiBuffer& x = call.args()[0];
  const FfiBuffer& values = call.results()[0];
  const FfiBuffer& places = call.results()[1];
  require(x.dtype == DType::kF32 && values.dtype == DType::kF32 &&
              places.dtype == DType::kI32,
          "type");
  require(!x.dims.empty() && values.dims.size() == x.dims.size() &&
              same_dims(values, places),
          "shape");
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < x.dims.size(); ++i) {
    require(values.dims[i] == x.dims[i], "shape");
    rows *= x.dims[i];
  }
  top_k(rows,
        x.dims.back(),
        values.dims.back(),
        static_cast<const float*>(x.data),
        static_cast<float*>(values.data),
        static_cast<int32_t*>(places.data));
}

// All operands of one shape and type: f32 or f64.
RunningSpec running_spec(const FfiCall& call, size_t args) {
  const Lines lines(call);
  require(call.args().size() == args, "number of arguments");
  require(call.results().size() == 1, "number of results");
  const FfiBuffer& y = call.results()[0];
  require(y.dtype == DType::kF32 || y.dtype == DType::kF64, "type");
  for (const FfiBuffer& x : call.args()) {
    require(same_dims(x, y), "shape");
    require(x.dtype == y.dtype, "type");
  }
  return {lines.outer, lines.size, lines.inner, call.attr_int("reverse") != 0};
}

template <class T>
void run_cumlogsumexp(const FfiCall& call, const RunningSpec& s) {
  cumlogsumexp(s,
               static_cast<const T*>(call.args()[0].data),
               static_cast<T*>(call.results()[0].data));
}

void call_cumlogsumexp(const FfiCall& call) {
  const RunningSpec s = running_spec(call, 1);
  const bool wide = call.args()[0].dtype == DType::kF64;
  wide ? run_cumlogsumexp<double>(call, s) : run_cumlogsumexp<float>(call, s);
}

template <class T>
void run_cumlogsumexp_grad(const FfiCall& call, const RunningSpec& s) {
  const auto args = call.args();
  cumlogsumexp_grad(s,
                    static_cast<const T*>(args[0].data),
                    static_cast<const T*>(args[1].data),
                    static_cast<const T*>(args[2].data),
                    static_cast<T*>(call.results()[0].data));
}

void call_cumlogsumexp_grad(const FfiCall& call) {
  const RunningSpec s = running_spec(call, 3);
  const bool wide = call.args()[0].dtype == DType::kF64;
  wide ? run_cumlogsumexp_grad<double>(call, s)
       : run_cumlogsumexp_grad<float>(call, s);
}

}  // namespace

std::vector<pjrt::FfiTarget> line_targets() {
  return {pjrt::ffi_target<call_sort>("kexue_sort"),
          pjrt::ffi_target<call_top_k>("kexue_top_k"),
          pjrt::ffi_target<call_cumlogsumexp>("kexue_cumlogsumexp"),
          pjrt::ffi_target<call_cumlogsumexp_grad>("kexue_cumlogsumexp_grad")};
}

}  // namespace kexue::kernels::detail
