// Sentences of mixed lengths, as they come: the length buckets of the library.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "benchmarks/works/transformer.h"
#include "kexue/data/length_buckets.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"

namespace kexue::works {
namespace {

// Lengths that are compiled for: 7 % of the tokens are padding then, 23 % with
// six lengths; sorted batches of 32 have 16 %.
constexpr int64_t kMostLengths = 16;
constexpr int64_t kLengthStep = 4;

// Log-normal, as reviews and questions are: half of them below 25 tokens.
std::vector<int64_t> lengths_of(int64_t n, int64_t longest) {
  Random random(Key::from_seed(11));
  std::vector<int64_t> out;
  for (int64_t i = 0; i < n; ++i) {
    const double x = std::exp(3.2 + 0.6 * random.normal());
    out.push_back(std::clamp(
        static_cast<int64_t>(x), std::min<int64_t>(4, longest), longest));
  }
  return out;
}

// Token 0 is padding.
std::function<HostArray(const TensorType&, Key)> sentences(
    std::vector<int64_t> lengths, int64_t vocabulary) {
  return [lengths, vocabulary](const TensorType& type, Key key) {
    Random random(key);
    HostArray a(type);
    auto ids = a.mutable_span<int32_t>();
    const auto width = static_cast<size_t>(type.shape[1]);
    for (size_t i = 0; i < lengths.size(); ++i) {
      for (int64_t t = 0; t < lengths[i]; ++t) {
        ids[i * width + static_cast<size_t>(t)] =
            1 + static_cast<int32_t>(
                    random.below(static_cast<uint64_t>(vocabulary - 1)));
      }
    }
    return a;
  };
}

// Rows of each bucket.
std::vector<std::vector<int32_t>> rows_of(const data::LengthBuckets& buckets,
                                          const std::vector<int64_t>& lengths) {
  std::vector<std::vector<int32_t>> rows(buckets.size());
  for (size_t i = 0; i < lengths.size(); ++i) {
    rows[buckets.index(lengths[i])].push_back(static_cast<int32_t>(i));
  }
  return rows;
}

// Sum of |unit vector| over the sentences. ids i32[n,T]
Value checksum(const ParamValues& p, int64_t h, const Value& ids) {
  const Value mask = ops::not_equal(ids, ops::zeros_like(ids));
  const Value x = encode(p, h, ids, mask);
  const Scope scope("pooling");
  const Value m =
      ops::reshape(ops::convert(mask, x.dtype()), {ids.dim(0), ids.dim(1), 1});
  const Value mean = ops::sum(x * m, {1}) / ops::sum(m, {1});
  const Value unit = mean * ops::rsqrt(ops::sum(mean * mean, {1}, true));
  return ops::sum(ops::abs(unit));
}

}  // namespace

// Which row has which length is fixed when the step is traced: a file for
// --load must hold the work's own lengths.
Work make_bert_embed_mixed(const Sizes& s) {
  const int64_t h = s.at("H");
  const int64_t n = s.at("N");
  ParamTable table;
  add_embeddings(table, s);
  add_layers(table, s.at("L"), h);
  const auto lengths = lengths_of(n, s.at("T"));
  const auto buckets =
      data::LengthBuckets::fitted(lengths, kMostLengths, kLengthStep);
  Work work;
  work.inputs = table.slots();
  work.inputs.push_back(
      slot("ids",
           DType::kI32,
           {n, s.at("T")},
           sentences(lengths, std::max<int64_t>(2, s.at("V")))));
  const std::vector<Slot> slots = table.slots();
  const auto rows = rows_of(buckets, lengths);
  work.step = [=](const Values&, const Values& in) -> StepResult {
    const ParamValues p(slots, in);
    Value total;
    for (size_t k = 0; k < rows.size(); ++k) {
      if (rows[k].empty()) continue;
      const auto count = static_cast<int64_t>(rows[k].size());
      const Value index =
          ops::constant(HostArray::of<int32_t>({count}, rows[k]));
      const int64_t width = std::min(buckets.lengths()[k], s.at("T"));
      const Value ids =
          ops::slice_axis(ops::take(in.back(), index), 1, 0, width);
      const Value sum = checksum(p, h, ids);
      total = total ? total + sum : sum;
    }
    return {total * (1.0 / static_cast<double>(n * h)), {}};
  };
  return work;
}

}  // namespace kexue::works
