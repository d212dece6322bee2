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
using detail::element;
using detail::thread_floats;

struct Backward {
  const AttentionPlan& plan;
  FloatsIn q, k, v;
  const bool* mask;
  FloatsIn o;
  const float* lse;
  FloatsIn d_o;
  FloatsOut dq, dk, dv;
};

// The block of d_o in the type of q: in place or in scratch.
const void* out_grads(const Backward& f,
                      const AttentionTask& task,
                      const AttentionBlock& block) {
  const auto [first, rows, span, stride] = block;
  const int64_t d = f.plan.spec().dim;
  if (f.d_o.dtype == f.plan.in()) {
    return element(f.d_o, f.plan.query(task, first));
  }
  float* copy = thread_floats(detail::kOutGrads, rows * d);
  for (int64_t t = 0; t < rows; ++t) {
    const int64_t at = f.plan.query(task, first + t);
    if (f.plan.in() == DType::kF32) {
      f.d_o.read(at, d, copy + t * d);
    } else {
      detail::simd().narrow(static_cast<const float*>(f.d_o.data) + at,
                            reinterpret_cast<uint16_t*>(copy) + t * d,
                            d);
    }
  }
  return copy;
}

// Scores become dropout(p) and the gradients of dropout(p) those of the
// scores, times scale.
void softmax_grad_block(const Backward& f,
                        const AttentionTask& task,
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
    const int64_t n = f.plan.limit_row(block, t, bias);
    const int64_t row = (t - block.first) * block.stride;
    std::fill_n(scores + row + n, block.stride - n, 0.0f);
    std::fill_n(grads + row + n, block.stride - n, 0.0f);
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
                    const AttentionBlock& block,
                    bool add,
                    float* bias,
                    float* dk,
                    float* dv) {
  const auto& products = f.plan.products(block);
  const auto [first, rows, span, stride] = block;
  const int64_t d = f.plan.spec().dim;
  const int64_t count = rows * stride;
  const void* q = element(f.q, f.plan.query(task, first));
  const void* k = element(f.k, f.plan.key(task, 0));
  const void* v = element(f.v, f.plan.key(task, 0));
  const void* d_o = out_grads(f, task, block);
  float* scores = thread_floats(detail::kScores, count);
  float* grads = thread_floats(detail::kScoreGrads, count);
  detail::clear_padding(scores, block);
  detail::clear_padding(grads, block);
  products.scores->run(q, k, nullptr, scores);
  products.dp->run(d_o, v, nullptr, grads);
  softmax_grad_block(f, task, block, bias, scores, grads);
  const DType in = f.plan.in();
  const void* p = detail::as_input(in, scores, count, detail::kRoundedScores);
  const void* ds =
      detail::as_input(in, grads, count, detail::kRoundedScoreGrads);
  float* dq = f.dq.stage(f.plan.query(task, first),
                         thread_floats(detail::kQueryStage, rows * d));
  products.dq->run(ds, k, nullptr, dq);
  products.dk[add]->run(ds, q, nullptr, dk);
  products.dv[add]->run(p, d_o, nullptr, dv);
  if (f.dq.dtype == DType::kF32) return;
  for (int64_t t = 0; t < rows; ++t) {
    f.dq.write(f.plan.query(task, first + t), d, dq + t * d);
  }
}

// Keys first .. last - 1 get gradient 0.
void clear_keys(const AttentionPlan& plan,
                const AttentionTask& task,
                const FloatsOut& out,
                int64_t first,
                int64_t last) {
  const auto bytes = static_cast<int64_t>(size_bytes(out.dtype));
  for (int64_t s = first; s < last; ++s) {
    char* to = static_cast<char*>(out.data) + plan.key(task, s) * bytes;
    std::fill_n(to, plan.spec().dim * bytes, char{0});
  }
}

void clear_queries(const AttentionPlan& plan,
                   const AttentionTask& task,
                   const FloatsOut& out) {
  const auto bytes = static_cast<int64_t>(size_bytes(out.dtype));
  for (int64_t t = 0; t < plan.spec().queries; ++t) {
    char* to = static_cast<char*>(out.data) + plan.query(task, t) * bytes;
    std::fill_n(to, plan.spec().dim * bytes, char{0});
  }
}

void write_keys(const AttentionPlan& plan,
                const AttentionTask& task,
                const FloatsOut& out,
                const float* staged) {
  if (out.dtype == DType::kF32) return;
  const int64_t d = plan.spec().dim;
  for (int64_t s = 0; s < task.span; ++s) {
    out.write(plan.key(task, s), d, staged + s * d);
  }
}

void backward_task(const Backward& f, int64_t index) {
  const AttentionPlan& plan = f.plan;
  const AttentionTask task = plan.task(index);
  const auto& spec = plan.spec();
  // With no queries the keys' gradients are 0 too.
  const int64_t used = spec.queries == 0 ? 0 : task.span;
  clear_keys(plan, task, f.dk, used, spec.keys);
  clear_keys(plan, task, f.dv, used, spec.keys);
  if (used == 0) return clear_queries(plan, task, f.dq);
  float* bias = plan.bias(task, f.mask);
  const int64_t room = task.span * spec.dim;
  float* dk =
      f.dk.stage(plan.key(task, 0), thread_floats(detail::kKeyStage, room));
  float* dv =
      f.dv.stage(plan.key(task, 0), thread_floats(detail::kValueStage, room));
  const int64_t last = plan.blocks() - 1;
  for (int64_t i = last; i >= 0; --i) {
    backward_block(f, task, plan.block(task, i), i < last, bias, dk, dv);
  }
  write_keys(plan, task, f.dk, dk);
  write_keys(plan, task, f.dv, dv);
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
  const int64_t row = spec.heads * spec.dim;
  const auto stride = [&](const FloatsOut& out) {
    return out.dtype == DType::kF32 ? row : spec.dim;
  };
  const AttentionPlan plan(spec,
                           q.dtype,
                           mask,
                           {.d_o = d_o.dtype == q.dtype ? row : spec.dim,
                            .dq = stride(dq),
                            .dk = stride(dk),
                            .dv = stride(dv)},
                           true);
  const Backward f{plan, q, k, v, mask, o, lse, d_o, dq, dk, dv};
  parallel_for(plan.tasks(), [&](int64_t index) { backward_task(f, index); });
}

}  // namespace kexue::kernels
