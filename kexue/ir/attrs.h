// Static attributes of a node: what an op needs beside its inputs.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kexue/base/host_array.h"

namespace kexue::ir {

using Attr = std::variant<int64_t,
                          double,
                          std::string,
                          std::vector<int64_t>,
                          DType,
                          HostArray>;

// A small map with names in order, so equal attributes print equally.
class Attrs final {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<std::string, Attr>> items);

  void set(std::string name, Attr value);
  bool has(std::string_view name) const;

  // Typed reads; kInternal if the attribute is missing or of another type.
  int64_t i(std::string_view name) const;
  double f(std::string_view name) const;
  const std::string& s(std::string_view name) const;
  const std::vector<int64_t>& ints(std::string_view name) const;
  DType dtype(std::string_view name) const;
  const HostArray& array(std::string_view name) const;

  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  bool empty() const { return items_.empty(); }

  // "axis=1, perm=[1,0]"; arrays print their type and a hash of the bytes.
  std::string str() const;

 private:
  const Attr& get(std::string_view name) const;

  std::vector<std::pair<std::string, Attr>> items_;
};

}  // namespace kexue::ir
