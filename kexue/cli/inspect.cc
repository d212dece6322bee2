// kexue inspect: what a file of weights holds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/cli/watched_source.h"
#include "kexue/io/printable.h"
#include "kexue/io/weight_map.h"

namespace kexue::cli {
namespace {

using io::TensorInfo;
using Json = nlohmann::ordered_json;

// Of the finite elements; complex ones count as their two parts.
struct Statistics {
  uint64_t count = 0;  // all elements
  uint64_t nan = 0;
  uint64_t infinite = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  double mean = 0;
  double std = 0;

  uint64_t finite() const { return count - nan - infinite; }
};

template <class T>
double as_double(T x) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
    return static_cast<double>(static_cast<float>(x));
  } else {
    return static_cast<double>(x);
  }
}

// Two passes: the deviation is taken from the mean itself, so that large
// means cost no digits.
template <class T>
Statistics statistics_of(std::span<const T> values) {
  Statistics s;
  s.count = values.size();
  double sum = 0;
  for (const T value : values) {
    const double x = as_double(value);
    if (std::isnan(x)) {
      ++s.nan;
    } else if (std::isinf(x)) {
      ++s.infinite;
    } else {
      sum += x;
      s.min = std::min(s.min, x);
      s.max = std::max(s.max, x);
    }
  }
  const auto n = static_cast<double>(s.finite());
  if (s.finite() == 0) return s;
  s.mean = sum / n;
  double squares = 0;
  for (const T value : values) {
    const double d = as_double(value) - s.mean;
    if (std::isfinite(d)) squares += d * d;
  }
  s.std = std::sqrt(squares / n);
  return s;
}

Statistics statistics_of(const HostArray& a) {
  switch (a.dtype()) {
    case DType::kBool:
    case DType::kU8:
      return statistics_of(
          std::span(reinterpret_cast<const uint8_t*>(a.data()), a.bytes()));
    case DType::kI32:
      return statistics_of(a.span<int32_t>());
    case DType::kU32:
      return statistics_of(a.span<uint32_t>());
    case DType::kI64:
      return statistics_of(a.span<int64_t>());
    case DType::kF16:
      return statistics_of(a.span<Float16>());
    case DType::kBF16:
      return statistics_of(a.span<BFloat16>());
    case DType::kF32:
      return statistics_of(a.span<float>());
    case DType::kF64:
      return statistics_of(a.span<double>());
    case DType::kC64:
      return statistics_of(
          std::span(reinterpret_cast<const float*>(a.data()), a.bytes() / 4));
    case DType::kC128:
      break;
  }
  return statistics_of(
      std::span(reinterpret_cast<const double*>(a.data()), a.bytes() / 8));
}

Json json_of(const TensorInfo& t, const Statistics* s) {
  Json row;
  row["name"] = t.name;
  row["stored"] = t.stored;
  row["dtype"] = t.dtype ? Json(name(*t.dtype)) : Json(nullptr);
  row["shape"] = t.shape.dims();
  row["bytes"] = t.bytes;
  if (s == nullptr) return row;
  const bool any = s->finite() > 0;
  row["min"] = any ? Json(s->min) : Json(nullptr);
  row["max"] = any ? Json(s->max) : Json(nullptr);
  row["mean"] = any ? Json(s->mean) : Json(nullptr);
  row["std"] = any ? Json(s->std) : Json(nullptr);
  row["nan"] = s->nan;
  row["inf"] = s->infinite;
  return row;
}

std::string text_of(const TensorInfo& t, const Statistics* s, size_t width) {
  std::string out = fmt::format("{:<{}}  {:<8} {:<16} {:>12}",
                                io::printable(t.name),
                                width,
                                t.stored,
                                t.shape.str(),
                                t.bytes);
  if (s == nullptr) return out;
  if (s->finite() > 0) {
    out += fmt::format("  {:>10.4g} {:>10.4g} {:>10.4g} {:>10.4g}",
                       s->min,
                       s->max,
                       s->mean,
                       s->std);
  } else {
    out += fmt::format("  {:>10} {:>10} {:>10} {:>10}", "-", "-", "-", "-");
  }
  return out + fmt::format(" {:>7} {:>7}", s->nan, s->infinite);
}

std::string heading(size_t width) {
  return fmt::format(
      "{:<{}}  {:<8} {:<16} {:>12}  {:>10} {:>10} {:>10} {:>10} {:>7} {:>7}",
      "tensor",
      width,
      "stored",
      "shape",
      "bytes",
      "min",
      "max",
      "mean",
      "std",
      "NaN",
      "Inf");
}

struct Totals {
  uint64_t bytes = 0;
  uint64_t elements = 0;
  uint64_t nan = 0;
  uint64_t infinite = 0;
};

constexpr size_t kWidestName = 60;

size_t name_width(const io::TensorSource& source) {
  size_t width = 6;
  for (const auto& t : source.tensors()) {
    width = std::max(width, io::printable(t.name).size());
  }
  return std::min(width, kWidestName);
}

void print_head(const io::TensorSource& source, Console& console) {
  console.print_line(fmt::format("{}: {}", source.where(), source.format()));
  for (const auto& [key, value] : source.metadata()) {
    console.print_line(
        fmt::format("  {} = {}", io::printable(key), io::printable(value)));
  }
}

io::SourcePtr chosen(io::SourcePtr source, const InspectOptions& options) {
  if (options.tensors.empty()) return source;
  std::vector<size_t> numbers;
  for (const auto& t : options.tensors) {
    numbers.push_back(source->index_of(t));
  }
  return std::make_shared<ChosenSource>(std::move(source), std::move(numbers));
}

}  // namespace

int run_inspect(const InspectOptions& options, Console& console) {
  auto source = io::open_tensors(options.input, io::Access::kMap);
  source = io::with_weight_names(source, options.map);
  source = chosen(std::move(source), options);
  TaskBar bar(console);
  const WatchedSource watched(source, bar);
  const size_t width = name_width(*source);
  Json rows = Json::array();
  if (!console.json()) {
    print_head(*source, console);
    console.print_line(heading(width));
  }
  Totals totals;
  for (size_t i = 0; i < source->tensors().size(); ++i) {
    const TensorInfo& t = source->tensors()[i];
    Statistics s;
    const bool has = t.dtype && !options.no_statistics;
    if (has) s = statistics_of(watched.tensor(i));
    totals.bytes += t.bytes;
    totals.elements += static_cast<uint64_t>(t.shape.size());
    totals.nan += s.nan;
    totals.infinite += s.infinite;
    if (console.json()) {
      rows.push_back(json_of(t, has ? &s : nullptr));
    } else {
      console.print_line(text_of(t, has ? &s : nullptr, width));
    }
  }
  bar.end();
  if (console.json()) {
    Json document;
    document["file"] = options.input;
    document["format"] = source->format();
    document["tensors"] = rows.size();
    document["elements"] = totals.elements;
    document["bytes"] = totals.bytes;
    document["nan"] = totals.nan;
    document["inf"] = totals.infinite;
    document["metadata"] = source->metadata();
    document["tensor"] = std::move(rows);
    using Replace = Json::error_handler_t;
    console.print_line(document.dump(-1, ' ', false, Replace::replace));
    return 0;
  }
  console.print_line(
      fmt::format("{} tensors, {} elements, {} bytes, {} NaN, {} Inf",
                  source->tensors().size(),
                  totals.elements,
                  totals.bytes,
                  totals.nan,
                  totals.infinite));
  return 0;
}

}  // namespace kexue::cli
