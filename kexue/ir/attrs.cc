#include "kexue/ir/attrs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"

namespace kexue::ir {
namespace {

struct Printer {
  std::string operator()(int64_t x) const { return fmt::format("{}", x); }
  std::string operator()(double x) const { return fmt::format("{}", x); }
  std::string operator()(const std::string& x) const {
    return fmt::format("\"{}\"", x);
  }
  std::string operator()(const std::vector<int64_t>& x) const {
    return fmt::format("[{}]", fmt::join(x, ","));
  }
  std::string operator()(DType x) const { return std::string(name(x)); }
  std::string operator()(const HostArray& x) const {
    if (x.size() == 1 && x.dtype() == DType::kI64) {
      return fmt::format("{}({})", x.type().str(), x.to_ints()[0]);
    }
    if (x.size() == 1 && !is_complex(x.dtype())) {
      return fmt::format("{}({})", x.type().str(), x.at(0));
    }
    return fmt::format("{}#{}", x.type().str(), hash128({x.data(), x.bytes()}));
  }
};

}  // namespace

Attrs::Attrs(std::initializer_list<std::pair<std::string, Attr>> items) {
  for (const auto& [key, value] : items) set(key, value);
}

void Attrs::set(std::string name, Attr value) {
  const auto at =
      std::lower_bound(items_.begin(),
                       items_.end(),
                       name,
                       [](const auto& item, const std::string& key) {
                         return item.first < key;
                       });
  if (at != items_.end() && at->first == name) {
    at->second = std::move(value);
  } else {
    items_.insert(at, {std::move(name), std::move(value)});
  }
}

bool Attrs::has(std::string_view name) const {
  return std::any_of(items_.begin(), items_.end(), [&](const auto& item) {
    return item.first == name;
  });
}

const Attr& Attrs::get(std::string_view name) const {
  for (const auto& [key, value] : items_) {
    if (key == name) return value;
  }
  throw Error(Code::kInternal, fmt::format("attribute \"{}\" missing", name));
}

namespace {

template <class T>
const T& typed(const Attr& attr, std::string_view name) {
  if (const T* x = std::get_if<T>(&attr)) return *x;
  throw Error(Code::kInternal,
              fmt::format("attribute \"{}\" has another type", name));
}

}  // namespace

int64_t Attrs::i(std::string_view name) const {
  return typed<int64_t>(get(name), name);
}
double Attrs::f(std::string_view name) const {
  return typed<double>(get(name), name);
}
const std::string& Attrs::s(std::string_view name) const {
  return typed<std::string>(get(name), name);
}
const std::vector<int64_t>& Attrs::ints(std::string_view name) const {
  return typed<std::vector<int64_t>>(get(name), name);
}
DType Attrs::dtype(std::string_view name) const {
  return typed<DType>(get(name), name);
}
const HostArray& Attrs::array(std::string_view name) const {
  return typed<HostArray>(get(name), name);
}

std::string Attrs::str() const {
  std::string out;
  for (const auto& [key, value] : items_) {
    if (!out.empty()) out += ", ";
    out += key + "=" + std::visit(Printer{}, value);
  }
  return out;
}

}  // namespace kexue::ir
