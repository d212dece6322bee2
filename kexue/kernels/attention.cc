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
using detail::thread_floats;
using detail::Units;

struct Forward {
  const AttentionPlan& plan;
  FloatsIn q;
  FloatsIn k;
  FloatsIn v;
  const bool* mask;
  FloatsOut o;
  float* lse;
};

// The block's scores become probabilities, with dropout.
void softmax_block(const Forward& f,
                   const AttentionTask& task,
                   const AttentionTask& next,
                   const AttentionBlock& block,
                   float* bias,
                   float* scores) {
  const auto& simd = detail::simd();
  const int64_t keys = f.plan.spec().keys;
  for (int64_t t = block.first + block.rows; t-- > block.first;) {
    f.plan.fetch(f.q, f.plan.query(next, t));
    f.plan.fetch(f.o, f.plan.query(next, t));
    f.plan.fetch(f.k, f.plan.key(next, std::min(t, keys - 1)));
    f.plan.fetch(f.v, f.plan.key(next, std::min(t, keys - 1)));
    float* row = scores + (t - block.first) * block.stride;
    float& lse = f.lse[f.plan.lse(task, t)];
    const int64_t n = f.plan.limit_row(block, t, bias);
    if (f.plan.is_blind(task, t)) {
      std::fill_n(row, n, 0.0f);
      lse = 0.0f;
      continue;
    }
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

void forward_task(const Forward& f, int64_t index) {
  const AttentionPlan& plan = f.plan;
  const AttentionTask task = plan.task(index);
  const AttentionTask next = plan.after(index);
  const int64_t queries = plan.spec().queries;
  const int64_t span = task.span;
  const int64_t to = plan.query(task, 0);
  if (span == 0) {
    plan.clear(f.o, to, queries);
    std::fill_n(f.lse + plan.lse(task, 0), queries, 0.0f);
    return;
  }
  float* bias = plan.bias(task, f.mask);
  const int64_t from = plan.key(task, 0);
  const Units q = plan.rows(f.q, to, queries, detail::kQueryRows);
  const Units k = plan.columns(
      plan.rows(f.k, from, span, detail::kKeyRows), span, detail::kKeyColumns);
  const Units v = plan.stacked(plan.rows(f.v, from, span, detail::kValueRows),
                               span,
                               detail::kValuePairs);
  for (int64_t i = plan.blocks(); i-- > 0;) {
    const AttentionBlock block = plan.block(task, i);
    const int64_t at = plan.query(task, block.first);
    float* scores = thread_floats(detail::kScores, block.rows * block.stride);
    plan.make_scores(block, q.from(block.first), k, scores);
    softmax_block(f, task, next, block, bias, scores);
    const auto o = plan.stage(f.o, at, block.rows, detail::kQueryStage);
    plan.mix(block, plan.along_keys(block, scores), v, o.data, o.row);
    plan.finish(f.o, at, block.rows, o);
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
  const AttentionPlan plan(spec, q.dtype, mask);
  const Forward f{plan, q, k, v, mask, o, lse};
  parallel_for(plan.tasks(), [&](int64_t index) { forward_task(f, index); });
}

}  // namespace kexue::kernels
