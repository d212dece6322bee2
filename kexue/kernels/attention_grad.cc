#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/kernels/attention.h"
#include "kexue/kernels/attention_plan.h"
#include "kexue/kernels/parallel.h"

namespace kexue::kernels {
namespace {

using detail::AttentionBlock;
using detail::AttentionPlan;
using detail::AttentionTask;
using detail::thread_floats;
using detail::Units;

struct Backward {
  const AttentionPlan& plan;
  FloatsIn q;
  FloatsIn k;
  FloatsIn v;
  const bool* mask;
  FloatsIn o;
  const float* lse;
  FloatsIn d_o;
  FloatsOut dq;
  FloatsOut dk;
  FloatsOut dv;
};

// The operands of one task, in the forms that its products read.
struct Operands {
  Units q, k, d_o;                  // rows
  Units k_columns, v_columns;       // transposed
  Units q_pairs, k_pairs, d_pairs;  // summed over queries or keys
};

Operands prepare(const Backward& f, const AttentionTask& task) {
  const AttentionPlan& plan = f.plan;
  const int64_t queries = plan.spec().queries;
  const int64_t span = task.span;
  const int64_t at = plan.query(task, 0);
  const int64_t from = plan.key(task, 0);
  Operands x;
  x.q = plan.rows(f.q, at, queries, detail::kQueryRows);
  x.k = plan.rows(f.k, from, span, detail::kKeyRows);
  x.d_o = plan.rows(f.d_o, at, queries, detail::kGradRows);
  x.k_columns = plan.columns(x.k, span, detail::kKeyColumns);
  x.v_columns = plan.columns(plan.rows(f.v, from, span, detail::kValueRows),
                             span,
                             detail::kValueColumns);
  x.q_pairs = plan.stacked(x.q, queries, detail::kQueryPairs);
  x.k_pairs = plan.stacked(x.k, span, detail::kKeyPairs);
  x.d_pairs = plan.stacked(x.d_o, queries, detail::kGradPairs);
  return x;
}

void fetch_row(const Backward& f, const AttentionTask& next, int64_t t) {
  const int64_t query = f.plan.query(next, t);
  const int64_t key = f.plan.key(next, std::min(t, f.plan.spec().keys - 1));
  f.plan.fetch(f.q, query);
  f.plan.fetch(f.o, query);
  f.plan.fetch(f.d_o, query);
  f.plan.fetch(f.dq, query);
  f.plan.fetch(f.k, key);
  f.plan.fetch(f.v, key);
  f.plan.fetch(f.dk, key);
  f.plan.fetch(f.dv, key);
}

// Scores become dropout(p) and the gradients of dropout(p) those of the
// scores, times scale.
void softmax_grad_block(const Backward& f,
                        const AttentionTask& task,
                        const AttentionTask& next,
                        const AttentionBlock& block,
                        float* bias,
                        float* scores,
                        float* grads) {
  const auto& simd = detail::simd();
  const int64_t d = f.plan.spec().dim;
  const bool drops = f.plan.rule().threshold != 0;
  float* row_a = thread_floats(detail::kRowA, d);
  float* row_b = thread_floats(detail::kRowB, d);
  float* keep = nullptr;
  const float* ones = nullptr;
  if (drops) {
    keep = thread_floats(detail::kKeep, block.stride);
    float* fill = thread_floats(detail::kOnes, block.stride);
    std::fill_n(fill, block.stride, 1.0f);
    std::fill_n(keep, block.stride, 0.0f);
    ones = fill;
  }
  for (int64_t t = block.first + block.rows; t-- > block.first;) {
    fetch_row(f, next, t);
    const int64_t n = f.plan.limit_row(block, t, bias);
    const int64_t row = (t - block.first) * block.stride;
    const int64_t at = f.plan.query(task, t);
    const float delta =
        simd.dot(f.d_o.read(at, d, row_a), f.o.read(at, d, row_b), d);
    if (drops) {
      const int64_t start = f.plan.score(task, t);
      simd.dropout(ones, keep, std::min(n, block.span), start, f.plan.rule());
    }
    simd.softmax_grad(scores + row,
                      grads + row,
                      bias,
                      keep,
                      n,
                      f.plan.spec().scale,
                      f.lse[f.plan.lse(task, t)],
                      delta);
  }
}

void backward_block(const Backward& f,
                    const AttentionTask& task,
                    const AttentionTask& next,
                    const AttentionBlock& block,
                    const Operands& x,
                    float* bias,
                    const AttentionPlan::Stage& dk,
                    const AttentionPlan::Stage& dv) {
  const AttentionPlan& plan = f.plan;
  const int64_t count = block.rows * block.stride;
  float* scores = thread_floats(detail::kScores, count);
  float* grads = thread_floats(detail::kScoreGrads, count);
  plan.make_scores(block, x.q.from(block.first), x.k_columns, scores);
  plan.make_scores(block, x.d_o.from(block.first), x.v_columns, grads);
  softmax_grad_block(f, task, next, block, bias, scores, grads);
  // The first block worked on writes what the others add to.
  const bool add = block.first + block.rows < plan.spec().queries;
  plan.gather(block,
              plan.along_queries(block, scores),
              plan.from_query(x.d_pairs, block.first),
              dv.data,
              dv.row,
              add);
  plan.gather(block,
              plan.along_queries(block, grads),
              plan.from_query(x.q_pairs, block.first),
              dk.data,
              dk.row,
              add);
  const int64_t at = plan.query(task, block.first);
  const auto dq = plan.stage(f.dq, at, block.rows, detail::kQueryStage);
  plan.mix(block, plan.along_keys(block, grads), x.k_pairs, dq.data, dq.row);
  plan.finish(f.dq, at, block.rows, dq);
}

void backward_task(const Backward& f, int64_t index) {
  const AttentionPlan& plan = f.plan;
  const AttentionTask task = plan.task(index);
  const AttentionTask next = plan.after(index);
  const auto& spec = plan.spec();
  // With no queries the keys' gradients are 0 too.
  const int64_t span = spec.queries == 0 ? 0 : task.span;
  const int64_t to = plan.key(task, 0);
  plan.clear(f.dk, plan.key(task, span), spec.keys - span);
  plan.clear(f.dv, plan.key(task, span), spec.keys - span);
  if (span == 0) return plan.clear(f.dq, plan.query(task, 0), spec.queries);
  float* bias = plan.bias(task, f.mask);
  const Operands x = prepare(f, task);
  const auto dk = plan.stage(f.dk, to, span, detail::kKeyStage);
  const auto dv = plan.stage(f.dv, to, span, detail::kValueStage);
  for (int64_t i = plan.blocks(); i-- > 0;) {
    backward_block(f, task, next, plan.block(task, i), x, bias, dk, dv);
  }
  plan.finish(f.dk, to, span, dk);
  plan.finish(f.dv, to, span, dv);
}

}  // namespace

void attention_grad(const AttentionSpec& spec,
                    FloatsIn q,
                    FloatsIn k,
                    FloatsIn v,
                    const bool* mask,
                    FloatsIn o,
                    const float* lse,
                    FloatsIn d_o,
                    FloatsOut dq,
                    FloatsOut dk,
                    FloatsOut dv) {
  if (q.dtype != k.dtype || q.dtype != v.dtype) {
    throw Error(Code::kInvalidArgument,
                "attention: q, k and v must have one type");
  }
  const AttentionPlan plan(spec, q.dtype, mask);
  const Backward f{plan, q, k, v, mask, o, lse, d_o, dq, dk, dv};
  parallel_for(plan.tasks(), [&](int64_t index) { backward_task(f, index); });
}

}  // namespace kexue::kernels
