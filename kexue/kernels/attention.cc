#include "kexue/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/kernels/attention_plan.h"
#include "kexue/kernels/parallel.h"

namespace kexue::kernels {
namespace {

using detail::AttentionBlock;
using detail::AttentionPlan;
using detail::AttentionTask;
using detail::element;
using detail::thread_floats;

struct Forward {
  const AttentionPlan& plan;
  FloatsIn q, k, v;
  const bool* mask;
  FloatsOut o;
  float* lse;
};

// The block's scores become probabilities, with dropout.
void softmax_block(const Forward& f,
                   const AttentionTask& task,
                   const AttentionBlock& block,
                   float* bias,
                   float* scores) {
  const auto& simd = detail::simd();
  for (int64_t t = block.first + block.rows; t-- > block.first;) {
    float* row = scores + (t - block.first) * block.stride;
    float& lse = f.lse[f.plan.lse(task, t)];
    const int64_t n = f.plan.limit_row(block, t, bias);
    const bool is_blind = f.plan.is_blind(task, t);
    std::fill(row + (is_blind ? 0 : n), row + block.stride, 0.0f);
    lse = 0.0f;
    if (is_blind) continue;
    float max = 0.0f;
    float sum = 0.0f;
    simd.softmax(row, bias, n, f.plan.spec().scale, &max, &sum);
    lse = max + std::log(sum);
    if (f.plan.rule().threshold == 0) {
      simd.scale(row, n, 1.0f / sum);
    } else {
      detail::DropoutRule rule = f.plan.rule();
      rule.scale /= sum;
      const int64_t start = f.plan.score(task, t);
      simd.dropout(row, row, std::min(n, block.span), start, rule);
    }
  }
}

void forward_block(const Forward& f,
                   const AttentionTask& task,
                   const AttentionBlock& block,
                   float* bias) {
  const auto& products = f.plan.products(block);
  const auto [first, rows, span, stride] = block;
  const int64_t d = f.plan.spec().dim;
  const int64_t count = rows * stride;
  float* scores = thread_floats(detail::kScores, count);
  detail::clear_padding(scores, block);
  products.scores->run(element(f.q, f.plan.query(task, first)),
                       element(f.k, f.plan.key(task, 0)),
                       nullptr,
                       scores);
  softmax_block(f, task, block, bias, scores);
  const void* p =
      detail::as_input(f.plan.in(), scores, count, detail::kRoundedScores);
  float* o = f.o.stage(f.plan.query(task, first),
                       thread_floats(detail::kQueryStage, rows * d));
  products.o->run(p, element(f.v, f.plan.key(task, 0)), nullptr, o);
  if (f.o.dtype == DType::kF32) return;
  for (int64_t t = 0; t < rows; ++t) {
    f.o.write(f.plan.query(task, first + t), d, o + t * d);
  }
}

void write_zeros(const FloatsOut& out, int64_t at, int64_t n) {
  const auto bytes = static_cast<int64_t>(size_bytes(out.dtype));
  std::fill_n(static_cast<char*>(out.data) + at * bytes, n * bytes, char{0});
}

void forward_task(const Forward& f, int64_t index) {
  const AttentionTask task = f.plan.task(index);
  const auto& spec = f.plan.spec();
  if (task.span == 0) {
    for (int64_t t = 0; t < spec.queries; ++t) {
      write_zeros(f.o, f.plan.query(task, t), spec.dim);
      f.lse[f.plan.lse(task, t)] = 0.0f;
    }
    return;
  }
  float* bias = f.plan.bias(task, f.mask);
  for (int64_t i = f.plan.blocks(); i-- > 0;) {
    forward_block(f, task, f.plan.block(task, i), bias);
  }
}

}  // namespace

void attention(const AttentionSpec& spec,
               FloatsIn q,
               FloatsIn k,
               FloatsIn v,
               const bool* mask,
               FloatsOut o,
               float* lse) {
  if (q.dtype != k.dtype || q.dtype != v.dtype) {
    throw Error(Code::kInvalidArgument,
                "attention: q, k and v must have one type");
  }
  const int64_t row = spec.heads * spec.dim;
  const AttentionPlan plan(spec,
                           q.dtype,
                           mask,
                           {.o = o.dtype == DType::kF32 ? row : spec.dim},
                           false);
  const Forward f{plan, q, k, v, mask, o, lse};
  parallel_for(plan.tasks(), [&](int64_t index) { forward_task(f, index); });
}

}  // namespace kexue::kernels
