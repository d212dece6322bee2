#include "kexue/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/kernels/attention_plan.h"
#include "kexue/kernels/parallel.h"

namespace kexue::kernels {
namespace {

using detail::AttentionPlan;
using detail::AttentionTask;
using detail::element;
using detail::kQueryBlock;
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
                   const float* bias,
                   int64_t first,
                   int64_t rows,
                   float* scores) {
  const auto& simd = detail::simd();
  for (int64_t t = 0; t < rows; ++t) {
    float* row = scores + t * task.stride;
    float max = 0.0f;
    float sum = 0.0f;
    simd.softmax(row, bias, task.stride, f.plan.spec().scale, &max, &sum);
    f.lse[f.plan.lse(task, first + t)] = max + std::log(sum);
    if (f.plan.rule().threshold == 0) {
      simd.scale(row, task.stride, 1.0f / sum);
    } else {
      detail::DropoutRule rule = f.plan.rule();
      rule.scale /= sum;
      const int64_t start = f.plan.score(task, first + t);
      simd.dropout(row, row, task.span, start, rule);
    }
  }
}

void forward_block(const Forward& f,
                   const AttentionTask& task,
                   const float* bias,
                   int64_t first,
                   int64_t rows) {
  const auto& products = f.plan.products(rows, task.span);
  const int64_t d = f.plan.spec().dim;
  const int64_t count = rows * task.stride;
  float* scores = thread_floats(detail::kScores, count);
  detail::clear_padding(scores, rows, task.span, task.stride);
  products.scores->run(element(f.q, f.plan.query(task, first)),
                       element(f.k, f.plan.key(task, 0)),
                       nullptr,
                       scores);
  softmax_block(f, task, bias, first, rows, scores);
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
  const float* bias = f.plan.bias(task, f.mask);
  for (int64_t t = 0; t < spec.queries; t += kQueryBlock) {
    const int64_t rows = std::min(kQueryBlock, spec.queries - t);
    forward_block(f, task, bias, t, rows);
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
