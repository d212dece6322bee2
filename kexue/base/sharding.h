// How tensors lie over several devices: a mesh of devices, and which of its
// axes split which dimension.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/base/shape.h"

namespace kexue {

struct MeshAxis {
  std::string name;
  int64_t size;
  bool operator==(const MeshAxis&) const = default;
};

// Devices 0..n-1 as a grid with named axes, the last axis running fastest:
// Mesh{{"data", 2}, {"model", 2}} has device 1 at data 0, model 1. Without
// axes it is one device.
class Mesh final {
 public:
  Mesh() = default;
  // Errors: kInvalidArgument for a name that is no identifier or comes twice,
  //         and for sizes < 1; kUnsupported above 2^20 devices.
  explicit Mesh(std::vector<MeshAxis> axes);
  Mesh(std::initializer_list<MeshAxis> axes)
      : Mesh(std::vector<MeshAxis>(axes)) {}

  const std::vector<MeshAxis>& axes() const { return axes_; }
  size_t devices() const;  // at least 1
  bool has(std::string_view axis) const;
  // Errors: kInvalidArgument with the known names.
  int64_t size(std::string_view axis) const;
  // Where `device` stands along the axis. Errors: as size().
  int64_t coordinate(size_t device, std::string_view axis) const;

  bool operator==(const Mesh&) const = default;
  // "data=2,model=2"; "one device" without axes
  std::string str() const;

 private:
  std::vector<MeshAxis> axes_;
};

// For each dimension of a tensor the mesh axes that split it, the first one
// coarsest; a dimension without axes is whole on every device. Without any
// dimension it says that a tensor of any rank is replicated.
//
//   Sharding{{"data"}, {}}   rows split over "data", columns whole
class Sharding final {
 public:
  using Axes = std::vector<std::string>;

  Sharding() = default;
  // Errors: kInvalidArgument for an axis that is used twice.
  explicit Sharding(std::vector<Axes> dims);
  Sharding(std::initializer_list<Axes> dims)
      : Sharding(std::vector<Axes>(dims)) {}

  const std::vector<Axes>& dims() const { return dims_; }
  bool replicated() const;
  bool uses(std::string_view axis) const;
  // The axes of one dimension; none if the sharding is shorter.
  const Axes& axes(int64_t dim) const;

  // Without the axes that `mesh` lacks: rules name more axes than one run has.
  Sharding restricted_to(const Mesh& mesh) const;
  // One more axis, the finest of dimension `dim`, of a tensor of rank `rank`.
  Sharding with(int64_t rank, int64_t dim, const std::string& axis) const;

  // In how many parts `mesh` cuts dimension `dim`.
  int64_t parts(const Mesh& mesh, int64_t dim) const;
  // Errors: kInvalidArgument for an unknown axis, for more dimensions than
  //         `shape` has, and for a dimension that its axes do not divide.
  void check(const Mesh& mesh, const Shape& shape) const;
  // What one device holds. Errors: as check().
  Shape local(const Mesh& mesh, const Shape& shape) const;
  // Index of the first element of what `device` holds.
  std::vector<int64_t> start(const Mesh& mesh,
                             const Shape& shape,
                             size_t device) const;

  bool operator==(const Sharding& other) const;
  // "[{data}, {}]"; read back by parse().
  std::string str() const;
  // Errors: kInvalidArgument showing the text.
  static Sharding parse(std::string_view text);

 private:
  std::vector<Axes> dims_;
};

// The block of `array` that begins at `start`.
HostArray copy_block(const HostArray& array,
                     const std::vector<int64_t>& start,
                     const Shape& shape);
// Puts `block` into `array` at `start`.
void paste_block(const HostArray& block,
                 const std::vector<int64_t>& start,
                 HostArray& array);

}  // namespace kexue
