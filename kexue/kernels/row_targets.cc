#include "kexue/kernels/row_targets.h"

#include "kexue/kernels/call_tools.h"
#include "kexue/kernels/column_sum.h"
#include "kexue/kernels/cross_entropy.h"
#include "kexue/kernels/gelu.h"
#include "kexue/kernels/layer_norm.h"

namespace kexue::kernels::detail {
namespace {

struct Rows {
  int64_t rows;
  int64_t dim;
};

Rows rows_of(const FfiBuffer& x) {
  require(!x.dims.empty(), "rank");
  const int64_t dim = x.dims.back();
  return {dim == 0 ? 0 : count(x) / dim, dim};
}

void call_layer_norm(const FfiCall& call) {
  require_counts(call, 3, 3);
  const auto args = call.args();
  const auto results = call.results();
  const auto [rows, dim] = rows_of(args[0]);
  require(count(results[0]) == rows * dim, "result");
  layer_norm(rows,
             dim,
             static_cast<float>(call.attr_float("eps")),
             in(args[0]),
             typed<float>(args[1], dim, "gamma"),
             typed<float>(args[2], dim, "beta"),
             out(results[0]),
             typed<float>(results[1], rows, "mean"),
             typed<float>(results[2], rows, "rstd"));
}

void call_layer_norm_grad(const FfiCall& call) {
  require_counts(call, 5, 3);
  const auto args = call.args();
  const auto results = call.results();
  const auto [rows, dim] = rows_of(args[0]);
  require(count(args[1]) == rows * dim, "x");
  require(count(results[0]) == rows * dim, "result");
  layer_norm_grad(rows,
                  dim,
                  in(args[0]),
                  in(args[1]),
                  typed<float>(args[2], dim, "gamma"),
                  typed<float>(args[3], rows, "mean"),
                  typed<float>(args[4], rows, "rstd"),
                  out(results[0]),
                  typed<float>(results[1], dim, "dgamma"),
                  typed<float>(results[2], dim, "dbeta"));
}

void call_gelu(const FfiCall& call) {
  require_counts(call, 1, 1);
  const FfiBuffer& x = call.args()[0];
  require(count(call.results()[0]) == count(x), "result");
  gelu(count(x), in(x), out(call.results()[0]));
}

void call_gelu_grad(const FfiCall& call) {
  require_counts(call, 2, 1);
  const FfiBuffer& dy = call.args()[0];
  const FfiBuffer& x = call.args()[1];
  require(count(x) == count(dy), "x");
  require(count(call.results()[0]) == count(dy), "result");
  gelu_grad(count(dy), in(dy), in(x), out(call.results()[0]));
}

void call_column_sum(const FfiCall& call) {
  require_counts(call, 1, 1);
  const FfiBuffer& x = call.args()[0];
  const auto [rows, dim] = rows_of(x);
  column_sum(rows, dim, in(x), typed<float>(call.results()[0], dim, "result"));
}

void call_cross_entropy(const FfiCall& call) {
  require_counts(call, 2, 2);
  const auto args = call.args();
  const auto results = call.results();
  const int64_t rows = count(args[1]);
  require(!args[0].dims.empty(), "rank");
  const int64_t classes = args[0].dims.back();
  require(count(args[0]) == rows * classes, "labels");
  cross_entropy(rows,
                classes,
                in(args[0]),
                typed<int32_t>(args[1], rows, "labels"),
                typed<float>(results[0], rows, "loss"),
                typed<float>(results[1], rows, "lse"));
}

void call_cross_entropy_grad(const FfiCall& call) {
  require_counts(call, 4, 1);
  const auto args = call.args();
  const FfiBuffer& dx = call.results()[0];
  const int64_t rows = count(args[2]);
  require(!args[1].dims.empty(), "rank");
  const int64_t classes = args[1].dims.back();
  require(count(args[1]) == rows * classes, "labels");
  require(count(dx) == rows * classes, "result");
  cross_entropy_grad(rows,
                     classes,
                     typed<float>(args[0], rows, "dy"),
                     in(args[1]),
                     typed<int32_t>(args[2], rows, "labels"),
                     typed<float>(args[3], rows, "lse"),
                     out(dx));
}

}  // namespace

std::vector<pjrt::FfiTarget> row_targets() {
  return {
      pjrt::ffi_target<call_layer_norm>("kexue_layer_norm"),
      pjrt::ffi_target<call_layer_norm_grad>("kexue_layer_norm_grad"),
      pjrt::ffi_target<call_gelu>("kexue_gelu"),
      pjrt::ffi_target<call_gelu_grad>("kexue_gelu_grad"),
      pjrt::ffi_target<call_column_sum>("kexue_column_sum"),
      pjrt::ffi_target<call_cross_entropy>("kexue_cross_entropy"),
      pjrt::ffi_target<call_cross_entropy_grad>("kexue_cross_entropy_grad"),
  };
}

}  // namespace kexue::kernels::detail
