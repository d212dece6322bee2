// The messages of summary.proto, written field by field.
#include <algorithm>
#include <cmath>
#include <limits>
#include <protozero/pbf_writer.hpp>

#include "kexue/io/event_file.h"

namespace kexue::io {
namespace {

using protozero::pbf_writer;

// Field numbers.
constexpr uint32_t kValue = 1;  // of Summary
constexpr uint32_t kTag = 1;    // of Value, as those that follow
constexpr uint32_t kSimple = 2;
constexpr uint32_t kImage = 4;
constexpr uint32_t kHistogram = 5;
constexpr uint32_t kTensor = 8;
constexpr uint32_t kMetadata = 9;
constexpr int32_t kString = 7;  // DT_STRING

std::vector<double> make_limits() {
  std::vector<double> positive;
  for (double v = 1e-12; v < 1e20; v *= 1.1) positive.push_back(v);
  positive.push_back(std::numeric_limits<double>::max());
  std::vector<double> out;
  for (auto v = positive.rbegin(); v != positive.rend(); ++v) {
    out.push_back(-*v);
  }
  out.push_back(0);
  out.insert(out.end(), positive.begin(), positive.end());
  return out;
}

const std::vector<double>& all_limits() {
  static const std::vector<double> limits = make_limits();
  return limits;
}

// A run of empty buckets becomes one.
void keep_filled(const std::vector<double>& counts, Histogram* out) {
  const auto& limits = all_limits();
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) {
      while (i + 1 < counts.size() && counts[i + 1] == 0) ++i;
    }
    out->limits.push_back(limits[i]);
    out->counts.push_back(counts[i]);
  }
}

void dimension(pbf_writer& shape, int64_t size) {
  pbf_writer dim(shape, 2);
  dim.add_int64(1, size);
}

}  // namespace

Histogram histogram_of(std::span<const float> values) {
  const auto& limits = all_limits();
  std::vector<double> counts(limits.size());
  Histogram out;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const double v = value;
    if (out.count == 0) out.min = out.max = v;
    out.min = std::min(out.min, v);
    out.max = std::max(out.max, v);
    out.count += 1;
    out.sum += v;
    out.sum_squares += v * v;
    const auto at = std::lower_bound(limits.begin(), limits.end(), v);
    counts[static_cast<size_t>(at - limits.begin())] += 1;
  }
  keep_filled(counts, &out);
  return out;
}

void EventSummary::scalar(std::string_view tag, double value) {
  pbf_writer summary(bytes_);
  pbf_writer v(summary, kValue);
  v.add_string(kTag, tag.data(), tag.size());
  v.add_float(kSimple, static_cast<float>(value));
}

void EventSummary::histogram(std::string_view tag, const Histogram& h) {
  pbf_writer summary(bytes_);
  pbf_writer v(summary, kValue);
  v.add_string(kTag, tag.data(), tag.size());
  pbf_writer histogram(v, kHistogram);
  histogram.add_double(1, h.min);
  histogram.add_double(2, h.max);
  histogram.add_double(3, h.count);
  histogram.add_double(4, h.sum);
  histogram.add_double(5, h.sum_squares);
  histogram.add_packed_double(6, h.limits.begin(), h.limits.end());
  histogram.add_packed_double(7, h.counts.begin(), h.counts.end());
}

// A text is a tensor of one string that the plugin "text" shows.
void EventSummary::text(std::string_view tag, std::string_view markdown) {
  pbf_writer summary(bytes_);
  pbf_writer v(summary, kValue);
  v.add_string(kTag, tag.data(), tag.size());
  {
    pbf_writer tensor(v, kTensor);
    tensor.add_enum(1, kString);
    {
      pbf_writer shape(tensor, 2);
      dimension(shape, 1);
    }
    tensor.add_bytes(8, markdown.data(), markdown.size());
  }
  pbf_writer metadata(v, kMetadata);
  pbf_writer plugin(metadata, 1);
  plugin.add_string(1, "text");
}

void EventSummary::image(std::string_view tag, const Image& image) {
  const std::string png = encode_png(image);
  pbf_writer summary(bytes_);
  pbf_writer v(summary, kValue);
  v.add_string(kTag, tag.data(), tag.size());
  pbf_writer field(v, kImage);
  field.add_int32(1, static_cast<int32_t>(image.height));
  field.add_int32(2, static_cast<int32_t>(image.width));
  field.add_int32(3, static_cast<int32_t>(image.channels));
  field.add_bytes(4, png);
}

}  // namespace kexue::io
