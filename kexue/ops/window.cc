#include "kexue/ops/window.h"

#include <algorithm>

namespace kexue::ops::detail {

const char* window_fault(const WindowSpec& w, size_t rank) {
  for (const auto* list : {&w.size,
                           &w.strides,
                           &w.low,
                           &w.high,
                           &w.base_dilation,
                           &w.window_dilation}) {
    if (list->size() != rank) return "wants one entry a spatial dimension";
  }
  for (const auto* list :
       {&w.size, &w.strides, &w.base_dilation, &w.window_dilation}) {
    for (const int64_t v : *list) {
      if (v < 1) return "wants windows, strides and dilations >= 1";
    }
  }
  return "";
}

std::vector<int64_t> window_counts(const WindowSpec& w,
                                   const std::vector<int64_t>& in) {
  std::vector<int64_t> out;
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t room =
        dilated(in[i], w.base_dilation[i]) + w.low[i] + w.high[i];
    const int64_t reach = dilated(w.size[i], w.window_dilation[i]);
    out.push_back(room < reach ? 0 : (room - reach) / w.strides[i] + 1);
  }
  return out;
}

WindowSpec transposed_window(const WindowSpec& w,
                             const std::vector<int64_t>& in) {
  const auto out = window_counts(w, in);
  WindowSpec t{.size = w.size,
               .strides = w.base_dilation,
               .low = {},
               .high = {},
               .base_dilation = w.strides,
               .window_dilation = w.window_dilation};
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t reach = dilated(w.size[i], w.window_dilation[i]);
    t.low.push_back(reach - 1 - w.low[i]);
    // So many that there is one position for each element of the input.
    t.high.push_back(dilated(in[i], w.base_dilation[i]) + reach - 1 -
                     dilated(out[i], w.strides[i]) - t.low[i]);
  }
  return t;
}

void set_padding(WindowSpec& w,
                 const Padding& padding,
                 const std::vector<int64_t>& in) {
  if (padding.kind == Padding::Kind::kExplicit) {
    w.low = or_all(padding.low, in.size(), 0);
    w.high = or_all(padding.high, in.size(), 0);
    return;
  }
  w.low.assign(in.size(), 0);
  w.high.assign(in.size(), 0);
  if (window_fault(w, in.size())[0] != 0) return;  // reported by the op
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t n = dilated(in[i], w.base_dilation[i]);
    const int64_t count = (n + w.strides[i] - 1) / w.strides[i];
    const int64_t reach = dilated(w.size[i], w.window_dilation[i]);
    const int64_t total =
        std::max<int64_t>(0, (count - 1) * w.strides[i] + reach - n);
    w.low[i] = total / 2;
    w.high[i] = total - total / 2;
  }
}

std::vector<int64_t> or_all(const std::vector<int64_t>& list,
                            size_t rank,
                            int64_t value) {
  return list.empty() ? std::vector<int64_t>(rank, value) : list;
}

}  // namespace kexue::ops::detail
