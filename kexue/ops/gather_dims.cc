#include "kexue/ops/gather_dims.h"

#include <fmt/format.h>

#include <set>

#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops::detail {
namespace {

bool has(const std::vector<int64_t>& v, int64_t x) {
  return std::find(v.begin(), v.end(), x) != v.end();
}

// Throws unless the values are distinct, in [0, limit), and ascend if asked.
void want_dims(const InferContext& c,
               const char* what,
               const std::vector<int64_t>& v,
               int64_t limit,
               bool ascending) {
  const bool distinct =
      std::set<int64_t>(v.begin(), v.end()).size() == v.size();
  if (!distinct || (ascending && !std::is_sorted(v.begin(), v.end()))) {
    refuse(
        c,
        fmt::format("wants {} {}", ascending ? "ascending" : "distinct", what));
  }
  for (const int64_t d : v) {
    if (d < 0 || d >= limit) {
      refuse(c, fmt::format("{} has {}, beyond {} dims", what, d, limit));
    }
  }
}

void shift(std::vector<int64_t>& v) {
  for (int64_t& d : v) ++d;
}

}  // namespace

Attrs to_attrs(const GatherDims& d) {
  return {{"offset", d.offset},
          {"collapsed", d.collapsed},
          {"index_map", d.index_map},
          {"index_vector", d.index_vector},
          {"x_batch", d.x_batch},
          {"index_batch", d.index_batch}};
}

GatherDims gather_dims(const Attrs& a) {
  return {a.ints("offset"),
          a.ints("collapsed"),
          a.ints("index_map"),
          a.i("index_vector"),
          a.ints("x_batch"),
          a.ints("index_batch")};
}

void check_dims(const InferContext& c, const GatherDims& d) {
  const Shape& x = c.type(0).shape;
  const Shape& ids = c.type(1).shape;
  if (c.type(1).dtype != DType::kI32) refuse(c, "wants i32 indices");
  if (d.index_vector < 0 || d.index_vector > ids.rank()) {
    refuse(c, fmt::format("no index_vector {}", d.index_vector));
  }
  const int64_t components =
      d.index_vector == ids.rank() ? 1 : ids[d.index_vector];
  if (static_cast<int64_t>(d.index_map.size()) != components) {
    refuse(c, fmt::format("index_map wants {} dims", components));
  }
  want_dims(c, "collapsed", d.collapsed, x.rank(), true);
  want_dims(c, "index_map", d.index_map, x.rank(), false);
  want_dims(c, "x_batch", d.x_batch, x.rank(), true);
  want_dims(c, "index_batch", d.index_batch, ids.rank(), false);
  if (d.x_batch.size() != d.index_batch.size()) {
    refuse(c, "x_batch and index_batch want one length");
  }
  for (size_t i = 0; i < d.x_batch.size(); ++i) {
    if (has(d.collapsed, d.x_batch[i]) || has(d.index_map, d.x_batch[i]) ||
        d.index_batch[i] == d.index_vector) {
      refuse(c, "a batch dim has another role too");
    }
    if (x[d.x_batch[i]] != ids[d.index_batch[i]]) {
      refuse(c, "batch dims must agree");
    }
  }
  const auto list = list_shape(d, ids).size();
  const auto window = window_axes(d, x.rank()).size();
  if (d.offset.size() != window) {
    refuse(c, fmt::format("offset wants {} dims", window));
  }
  want_dims(c, "offset", d.offset, static_cast<int64_t>(list + window), true);
}

std::vector<int64_t> window_axes(const GatherDims& d, int64_t x_rank) {
  std::vector<int64_t> out;
  for (int64_t a = 0; a < x_rank; ++a) {
    if (!has(d.collapsed, a) && !has(d.x_batch, a)) out.push_back(a);
  }
  return out;
}

std::vector<int64_t> list_dims(const GatherDims& d, int64_t rank) {
  std::vector<int64_t> out;
  for (int64_t a = 0; a < rank; ++a) {
    if (!has(d.offset, a)) out.push_back(a);
  }
  return out;
}

std::vector<int64_t> list_shape(const GatherDims& d, const Shape& indices) {
  auto dims = indices.dims();
  if (d.index_vector < indices.rank())
    dims.erase(dims.begin() + d.index_vector);
  return dims;
}

std::vector<int64_t> block_sizes(const GatherDims& d,
                                 int64_t x_rank,
                                 const Shape& updates) {
  std::vector<int64_t> sizes(static_cast<size_t>(x_rank), 1);
  const auto window = window_axes(d, x_rank);
  for (size_t k = 0; k < window.size(); ++k) {
    sizes[static_cast<size_t>(window[k])] = updates[d.offset[k]];
  }
  return sizes;
}

Value last_places(const Value& indices,
                  const GatherDims& d,
                  const Shape& x,
                  const std::vector<int64_t>& sizes) {
  std::vector<int32_t> last;
  for (const int64_t a : d.index_map) {
    last.push_back(static_cast<int32_t>(
        std::min<int64_t>(x[a] - sizes[static_cast<size_t>(a)], INT32_MAX)));
  }
  const bool scalars = d.index_vector == indices.rank();
  const Shape shape =
      scalars ? Shape{} : Shape{static_cast<int64_t>(last.size())};
  const Value value =
      indices.graph()
          .add(kConstant, {}, {{"value", HostArray::of(shape, last)}})
          .out();
  const auto dims =
      scalars ? std::vector<int64_t>{} : std::vector<int64_t>{d.index_vector};
  return broadcast_in_dim(value, indices.shape(), dims);
}

GatherDims with_batch(const GatherDims& d, bool x, bool indices) {
  GatherDims out = d;
  shift(out.offset);
  if (x) {
    for (auto* v : {&out.collapsed, &out.index_map, &out.x_batch}) shift(*v);
  }
  if (indices) {
    shift(out.index_batch);
    ++out.index_vector;
  }
  if (x && indices) {
    out.x_batch.insert(out.x_batch.begin(), 0);
    out.index_batch.insert(out.index_batch.begin(), 0);
  } else if (x) {
    out.offset.insert(out.offset.begin(), 0);
  }
  return out;
}

Places::Places(const GatherDims& d,
               std::vector<int64_t> sizes,
               Shape x,
               const HostArray& indices)
    : d_(d),
      sizes_(std::move(sizes)),
      x_(std::move(x)),
      x_strides_(x_.strides()),
      ids_(indices.to_ints()),
      id_strides_(indices.shape().strides()),
      window_(window_axes(d, x_.rank())) {}

int64_t Places::at(const std::vector<int64_t>& tuple, bool clamp) const {
  std::vector<int64_t> list;
  for (size_t i = 0; i < tuple.size(); ++i) {
    if (!has(d_.offset, static_cast<int64_t>(i))) list.push_back(tuple[i]);
  }
  // The list's tuple with the component put back in.
  const bool scalars =
      static_cast<size_t>(d_.index_vector) >= id_strides_.size();
  if (!scalars) list.insert(list.begin() + d_.index_vector, 0);
  const int64_t first = offset_of(id_strides_, list);
  int64_t at = 0;
  for (size_t k = 0; k < d_.index_map.size(); ++k) {
    const auto a = static_cast<size_t>(d_.index_map[k]);
    const int64_t step =
        scalars ? 0 : id_strides_[static_cast<size_t>(d_.index_vector)];
    int64_t place =
        ids_[static_cast<size_t>(first + static_cast<int64_t>(k) * step)];
    const int64_t last = x_.dims()[a] - sizes_[a];
    if (!clamp && (place < 0 || place > last)) return -1;
    place = std::clamp<int64_t>(place, 0, last);
    at += place * x_strides_[a];
  }
  for (size_t b = 0; b < d_.x_batch.size(); ++b) {
    at += list[static_cast<size_t>(d_.index_batch[b])] *
          x_strides_[static_cast<size_t>(d_.x_batch[b])];
  }
  for (size_t k = 0; k < window_.size(); ++k) {
    at += tuple[static_cast<size_t>(d_.offset[k])] *
          x_strides_[static_cast<size_t>(window_[k])];
  }
  return at;
}

}  // namespace kexue::ops::detail
