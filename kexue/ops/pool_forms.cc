// The public forms of pooling, and upsampling; declared in pool.h.
#include "kexue/ops/pool.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/pool_node.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

using namespace detail;
using Dims = std::vector<int64_t>;

int64_t first_spatial(Layout layout) {
  return layout == Layout::kChannelsLast ? 1 : 2;
}

// The options as a window over all dimensions of x.
WindowSpec window_over(const char* who,
                       const Value& x,
                       const PoolOptions& options) {
  const size_t rank = options.window.size();
  if (rank == 0 || x.rank() != static_cast<int64_t>(rank) + 2) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: wants a window entry for each spatial "
                            "dimension, got {} for {}",
                            who,
                            rank,
                            x.type().str()))
        .with_scope(Scope::path());
  }
  WindowSpec w{
      .size = options.window,
      .strides = options.strides.empty() ? options.window : options.strides,
      .low = Dims(rank, 0),
      .high = Dims(rank, 0),
      .base_dilation = Dims(rank, 1),
      .window_dilation = or_all(options.dilation, rank, 1)};
  const auto space = x.shape().begin() + first_spatial(options.layout);
  set_padding(
      w, options.padding, Dims(space, space + static_cast<int64_t>(rank)));
  const auto front = static_cast<size_t>(first_spatial(options.layout));
  const auto widen_list = [&](Dims& list, int64_t value) {
    list.insert(list.begin(), front, value);
    list.insert(list.end(), 2 - front, value);
  };
  for (Dims* list :
       {&w.size, &w.strides, &w.base_dilation, &w.window_dilation}) {
    widen_list(*list, 1);
  }
  widen_list(w.low, 0);
  widen_list(w.high, 0);
  return w;
}

// How many elements of x each window holds along one axis, at least 1.
std::vector<double> counts_along(const WindowSpec& w, size_t i, int64_t in) {
  std::vector<double> counts;
  const int64_t positions = window_counts(w, Dims(w.size.size(), in))[i];
  for (int64_t o = 0; o < positions; ++o) {
    int64_t inside = 0;
    for (int64_t k = 0; k < w.size[i]; ++k) {
      const int64_t p = o * w.strides[i] + k * w.window_dilation[i] - w.low[i];
      inside += p >= 0 && p < in ? 1 : 0;
    }
    counts.push_back(static_cast<double>(std::max<int64_t>(1, inside)));
  }
  return counts;
}

// y / the number of elements, axis by axis: the window is a box.
Value divided_by_counts(Value y, const WindowSpec& w, const Shape& in) {
  if (y.shape().size() == 0) return y;
  for (size_t i = 0; i < w.size.size(); ++i) {
    if (w.size[i] == 1) continue;
    const auto counts = counts_along(w, i, in.dims()[i]);
    const TensorType type{y.dtype(),
                          Shape{static_cast<int64_t>(counts.size())}};
    const Value n = y.graph()
                        .add(kConstant,
                             {},
                             {{"value", HostArray::from_doubles(type, counts)}})
                        .out();
    y = y / broadcast_in_dim(n, y.shape(), {static_cast<int64_t>(i)});
  }
  return y;
}

void want_spatial(const char* who, const Value& x) {
  if (x.rank() < 3) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: wants examples, channels and at least one "
                            "spatial dimension, got {}",
                            who,
                            x.type().str()))
        .with_scope(Scope::path());
  }
}

Axes spatial_axes(const Value& x, Layout layout) {
  Axes axes;
  for (int64_t i = 0; i + 2 < x.rank(); ++i) {
    axes.push_back(i + first_spatial(layout));
  }
  return axes;
}

}  // namespace

Value sum_pool(const Arg& x, const PoolOptions& options) {
  return pool(kSumPool, x, window_over("sum_pool", x, options));
}

Value average_pool(const Arg& x, const PoolOptions& options) {
  const WindowSpec w = window_over("average_pool", x, options);
  const Value total = pool(kSumPool, widen(x), w);
  if (!options.count_include_pad) {
    return convert(divided_by_counts(total, w, x.shape()), x.dtype());
  }
  const auto n = static_cast<double>(Shape(w.size).size());
  return convert(total * (1 / n), x.dtype());
}

Value max_pool(const Arg& x, const PoolOptions& options) {
  return pool(kMaxPool, x, window_over("max_pool", x, options));
}

Value max_pool_index(const Arg& x, const PoolOptions& options) {
  return pool(kMaxPoolIndex, x, window_over("max_pool_index", x, options));
}

Value global_average_pool(const Arg& x, Layout layout) {
  want_spatial("global_average_pool", x);
  return mean(x, spatial_axes(x, layout));
}

Value global_max_pool(const Arg& x, Layout layout) {
  want_spatial("global_max_pool", x);
  return max(x, spatial_axes(x, layout));
}

Value upsample_nearest(const Arg& x,
                       const std::vector<int64_t>& factors,
                       Layout layout) {
  bool ok =
      !factors.empty() && static_cast<int64_t>(factors.size()) + 2 == x.rank();
  for (const int64_t f : factors) ok = ok && f >= 1;
  if (!ok) {
    throw Error(Code::kInvalidArgument,
                fmt::format("upsample_nearest: wants one factor >= 1 for each "
                            "spatial dimension, got {}",
                            x.type().str()))
        .with_scope(Scope::path());
  }
  Dims repeated;
  Dims kept;
  Dims joined = x.shape().dims();
  for (int64_t a = 0; a < x.rank(); ++a) {
    kept.push_back(static_cast<int64_t>(repeated.size()));
    repeated.push_back(x.dim(a));
    const auto i = static_cast<size_t>(a - first_spatial(layout));
    if (a < first_spatial(layout) || i >= factors.size()) continue;
    repeated.push_back(factors[i]);
    joined[static_cast<size_t>(a)] *= factors[i];
  }
  return reshape(broadcast_in_dim(x, Shape(repeated), kept), joined);
}

}  // namespace kexue::ops
