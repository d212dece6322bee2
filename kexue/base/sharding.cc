#include "kexue/base/sharding.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "kexue/base/error.h"

namespace kexue {
namespace {

constexpr int64_t kMaxDevices = int64_t{1} << 20;

// Names stand in program text, so only these.
bool is_identifier(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9');
         });
}

// Calls f(offset into array, offset into block, bytes) for each run of bytes
// that is contiguous in both.
template <class F>
void for_each_run(const Shape& array,
                  const Shape& block,
                  const std::vector<int64_t>& start,
                  size_t width,
                  F&& f) {
  if (block.size() == 0) return;
  const auto rank = static_cast<size_t>(block.rank());
  const auto strides = array.strides();
  const size_t inner = rank == 0 ? 1 : static_cast<size_t>(block.dims().back());
  const size_t runs = static_cast<size_t>(block.size()) / inner;
  std::vector<int64_t> index(rank, 0);
  for (size_t r = 0; r < runs; ++r) {
    size_t at = 0;
    for (size_t d = 0; d < rank; ++d) {
      at += static_cast<size_t>((start[d] + index[d]) * strides[d]);
    }
    f(at * width, r * inner * width, inner * width);
    for (size_t d = rank > 0 ? rank - 1 : 0; d-- > 0;) {
      if (++index[d] < block.dims()[d]) break;
      index[d] = 0;
    }
  }
}

}  // namespace

Mesh::Mesh(std::vector<MeshAxis> axes) : axes_(std::move(axes)) {
  std::set<std::string> seen;
  int64_t devices = 1;
  for (const auto& axis : axes_) {
    if (!is_identifier(axis.name)) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("mesh: an axis wants a name of letters, digits "
                              "and _, got \"{}\"",
                              axis.name.substr(0, 64)));
    }
    if (!seen.insert(axis.name).second) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("mesh: axis \"{}\" comes twice", axis.name));
    }
    if (axis.size < 1) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("mesh: axis \"{}\" must have at least 1 device, "
                              "got {}",
                              axis.name,
                              axis.size));
    }
    if (axis.size > kMaxDevices / devices) {
      throw Error(Code::kUnsupported,
                  fmt::format("mesh: more than {} devices", kMaxDevices));
    }
    devices *= axis.size;
  }
}

size_t Mesh::devices() const {
  size_t n = 1;
  for (const auto& axis : axes_) n *= static_cast<size_t>(axis.size);
  return n;
}

bool Mesh::has(std::string_view axis) const {
  return std::any_of(axes_.begin(), axes_.end(), [&](const auto& a) {
    return a.name == axis;
  });
}

int64_t Mesh::size(std::string_view axis) const {
  for (const auto& a : axes_) {
    if (a.name == axis) return a.size;
  }
  throw Error(Code::kInvalidArgument,
              fmt::format("mesh {} has no axis \"{}\"", str(), axis));
}

int64_t Mesh::coordinate(size_t device, std::string_view axis) const {
  const int64_t n = size(axis);
  auto at = static_cast<int64_t>(device);
  for (size_t i = axes_.size(); i-- > 0 && axes_[i].name != axis;) {
    at /= axes_[i].size;
  }
  return at % n;
}

std::string Mesh::str() const {
  if (axes_.empty()) return "one device";
  std::vector<std::string> parts;
  for (const auto& a : axes_) {
    parts.push_back(fmt::format("{}={}", a.name, a.size));
  }
  return fmt::format("{}", fmt::join(parts, ","));
}

Sharding::Sharding(std::vector<Axes> dims) : dims_(std::move(dims)) {
  std::set<std::string> seen;
  for (const auto& axes : dims_) {
    for (const auto& axis : axes) {
      if (!is_identifier(axis)) {
        throw Error(Code::kInvalidArgument,
                    fmt::format("sharding: \"{}\" is no name of a mesh axis",
                                axis.substr(0, 64)));
      }
      if (!seen.insert(axis).second) {
        throw Error(
            Code::kInvalidArgument,
            fmt::format("sharding {} uses axis \"{}\" twice", str(), axis),
            "an axis can split one dimension of a tensor only");
      }
    }
  }
}

bool Sharding::replicated() const {
  return std::all_of(
      dims_.begin(), dims_.end(), [](const auto& a) { return a.empty(); });
}

bool Sharding::uses(std::string_view axis) const {
  return std::any_of(dims_.begin(), dims_.end(), [&](const auto& axes) {
    return std::find(axes.begin(), axes.end(), axis) != axes.end();
  });
}

const Sharding::Axes& Sharding::axes(int64_t dim) const {
  static const Axes none;
  const auto d = static_cast<size_t>(dim);
  return d < dims_.size() ? dims_[d] : none;
}

Sharding Sharding::restricted_to(const Mesh& mesh) const {
  Sharding out = *this;
  for (auto& axes : out.dims_) {
    std::erase_if(axes, [&](const auto& axis) { return !mesh.has(axis); });
  }
  return out;
}

Sharding Sharding::with(int64_t rank,
                        int64_t dim,
                        const std::string& axis) const {
  auto dims = dims_;
  dims.resize(static_cast<size_t>(rank));
  dims.at(static_cast<size_t>(dim)).push_back(axis);
  return Sharding(std::move(dims));
}

int64_t Sharding::parts(const Mesh& mesh, int64_t dim) const {
  int64_t n = 1;
  for (const auto& axis : axes(dim)) n *= mesh.size(axis);
  return n;
}

void Sharding::check(const Mesh& mesh, const Shape& shape) const {
  if (static_cast<int64_t>(dims_.size()) > shape.rank()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("sharding {} has {} dimensions, the tensor is {}",
                            str(),
                            dims_.size(),
                            shape.str()));
  }
  for (int64_t d = 0; d < static_cast<int64_t>(dims_.size()); ++d) {
    const int64_t n = parts(mesh, d);
    if (shape[d] % n == 0) continue;
    throw Error(
        Code::kInvalidArgument,
        fmt::format("sharding {} on mesh {}: {} devices do not divide "
                    "dimension {} of {}, which is {}",
                    str(),
                    mesh.str(),
                    n,
                    d,
                    shape.str(),
                    shape[d]),
        fmt::format("make it a multiple of {}, or leave that dimension whole",
                    n));
  }
}

Shape Sharding::local(const Mesh& mesh, const Shape& shape) const {
  check(mesh, shape);
  auto dims = shape.dims();
  for (size_t d = 0; d < dims_.size(); ++d) {
    dims[d] /= parts(mesh, static_cast<int64_t>(d));
  }
  return Shape(dims);
}

std::vector<int64_t> Sharding::start(const Mesh& mesh,
                                     const Shape& shape,
                                     size_t device) const {
  const Shape block = local(mesh, shape);
  std::vector<int64_t> out(block.dims().size(), 0);
  for (size_t d = 0; d < dims_.size(); ++d) {
    int64_t at = 0;
    for (const auto& axis : dims_[d]) {
      at = at * mesh.size(axis) + mesh.coordinate(device, axis);
    }
    out[d] = at * block.dims()[d];
  }
  return out;
}

bool Sharding::operator==(const Sharding& other) const {
  const size_t n = std::max(dims_.size(), other.dims_.size());
  for (size_t d = 0; d < n; ++d) {
    const auto i = static_cast<int64_t>(d);
    if (axes(i) != other.axes(i)) return false;
  }
  return true;
}

std::string Sharding::str() const {
  std::vector<std::string> parts;
  for (const auto& axes : dims_) {
    parts.push_back(fmt::format("{{{}}}", fmt::join(axes, ",")));
  }
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

Sharding Sharding::parse(std::string_view text) {
  std::vector<Axes> dims;
  std::string name;
  bool good = text.size() >= 2 && text.front() == '[' && text.back() == ']';
  bool open = false;
  for (size_t i = 1; good && i + 1 < text.size(); ++i) {
    const char c = text[i];
    if (c == '{') {
      good = !open;
      open = true;
      dims.emplace_back();
    } else if (c == '}' || (c == ',' && open)) {
      // "{}" is a whole dimension, but a comma wants names on both sides.
      good = open && (!name.empty() || (c == '}' && text[i - 1] == '{'));
      if (good && !name.empty()) dims.back().push_back(name);
      name.clear();
      open = c == ',';
    } else if (open) {
      name += c;
    } else {
      good = c == ',' || c == ' ';
    }
  }
  if (!good || open) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("a sharding is written [{{data}}, {{}}], got \"{}\"",
                    text.substr(0, 64)));
  }
  return Sharding(std::move(dims));
}

HostArray copy_block(const HostArray& array,
                     const std::vector<int64_t>& start,
                     const Shape& shape) {
  HostArray out(array.dtype(), shape);
  std::byte* to = out.mutable_data();
  for_each_run(array.shape(),
               shape,
               start,
               size_bytes(array.dtype()),
               [&](size_t from, size_t at, size_t n) {
                 std::memcpy(to + at, array.data() + from, n);
               });
  return out;
}

void paste_block(const HostArray& block,
                 const std::vector<int64_t>& start,
                 HostArray& array) {
  std::byte* to = array.mutable_data();
  for_each_run(array.shape(),
               block.shape(),
               start,
               size_bytes(array.dtype()),
               [&](size_t at, size_t from, size_t n) {
                 std::memcpy(to + at, block.data() + from, n);
               });
}

}  // namespace kexue
