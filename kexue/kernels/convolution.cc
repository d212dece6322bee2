#include "kexue/kernels/convolution.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/kernels/dnnl_tools.h"
#include "kexue/kernels/floats.h"
#include "kexue/kernels/parallel.h"
#include "kexue/kernels/widened.h"

namespace kexue::kernels {
namespace {

using detail::dnnl_cpu;
using detail::dnnl_type;
using detail::OneThread;
using detail::thread_floats;
using dnnl::memory;
using Dims = memory::dims;
using Arguments = std::unordered_map<int, memory>;

constexpr size_t kCacheLimit = 512;
// Each thread's buffers; 15 is the matrix products'.
constexpr int kScratchSlot = 14;
constexpr int kWeightSlot = 12;
// Parts of a batch; fewer where each part's dw would be large.
constexpr int64_t kParts = 8;
constexpr int64_t kLargeKernel = 1 << 20;

enum class Pass { kForward, kKernel };

Dims pair(const std::array<int64_t, 2>& p, int64_t less = 0) {
  return {p[0] - less, p[1] - less};
}

memory::desc image(const ConvolutionSpec& s, bool out, DType type) {
  const auto& size = out ? s.out : s.in;
  return {{s.batch, out ? s.outputs : s.inputs, size[0], size[1]},
          dnnl_type(type),
          memory::format_tag::nhwc};
}

memory::desc weights(const ConvolutionSpec& s,
                     DType type,
                     const std::array<int64_t, 4>& strides) {
  return {{s.outputs, s.inputs, s.kernel[0], s.kernel[1]},
          dnnl_type(type),
          Dims{strides[3], strides[2], strides[0], strides[1]}};
}

std::array<int64_t, 4> dense(const ConvolutionSpec& s) {
  const int64_t row = s.inputs * s.outputs;
  return {s.kernel[1] * row, row, s.outputs, 1};
}

memory::desc any_weights(const ConvolutionSpec& s, DType type) {
  return {{s.outputs, s.inputs, s.kernel[0], s.kernel[1]},
          dnnl_type(type),
          memory::format_tag::any};
}

float* room(int slot, const memory::desc& desc) {
  return thread_floats(slot, static_cast<int64_t>(desc.get_size() / 4 + 1));
}

memory over(const memory::desc& desc, const void* data) {
  // The library's interface is not const; it only reads its inputs.
  return {desc, dnnl_cpu(), const_cast<void*>(data)};
}

// One primitive for the part of a batch, and how kernels go in and out of it.
struct Part {
  dnnl::primitive run;
  memory::desc x, y, scratch;
  memory::desc inner;  // the kernel as the primitive wants it
  memory::desc outer;  // as the caller has it; f32 for sums
  dnnl::reorder reorder;
};

Part make_forward(const ConvolutionSpec& s, const dnnl::primitive_attr& attr) {
  Part p;
  p.x = image(s, false, s.in_type);
  p.y = image(s, true, s.out_type);
  p.outer = weights(s, s.in_type, s.w_strides);
  const dnnl::convolution_forward::primitive_desc desc(
      {dnnl::prop_kind::forward_inference,
       dnnl::algorithm::convolution_direct,
       p.x,
       any_weights(s, s.in_type),
       p.y,
       pair(s.strides),
       pair(s.dilation, 1),
       pair(s.low),
       pair(s.high())},
      attr,
      dnnl_cpu());
  p.run = dnnl::convolution_forward(desc);
  p.inner = desc.weights_desc();
  p.scratch = desc.scratchpad_desc();
  p.reorder = dnnl::reorder(
      dnnl::reorder::primitive_desc(dnnl_cpu(), p.outer, dnnl_cpu(), p.inner));
  return p;
}

Part make_kernel(const ConvolutionSpec& s, const dnnl::primitive_attr& attr) {
  Part p;
  p.x = image(s, false, s.in_type);
  p.y = image(s, true, s.in_type);
  p.outer = weights(s, DType::kF32, dense(s));
  const dnnl::convolution_forward::primitive_desc hint(
      {dnnl::prop_kind::forward_training,
       dnnl::algorithm::convolution_direct,
       p.x,
       any_weights(s, s.in_type),
       p.y,
       pair(s.strides),
       pair(s.dilation, 1),
       pair(s.low),
       pair(s.high())},
      dnnl_cpu());
  const dnnl::convolution_backward_weights::primitive_desc desc(
      {dnnl::algorithm::convolution_direct,
       p.x,
       any_weights(s, DType::kF32),
       p.y,
       pair(s.strides),
       pair(s.dilation, 1),
       pair(s.low),
       pair(s.high())},
      attr,
      dnnl_cpu(),
      hint);
  p.run = dnnl::convolution_backward_weights(desc);
  p.inner = desc.diff_weights_desc();
  p.scratch = desc.scratchpad_desc();
  p.reorder = dnnl::reorder(
      dnnl::reorder::primitive_desc(dnnl_cpu(), p.inner, dnnl_cpu(), p.outer));
  return p;
}

// From the process's cache.
std::shared_ptr<const Part> get_part(Pass pass, const ConvolutionSpec& s) {
  using Key = std::pair<Pass, ConvolutionSpec>;
  static auto* mutex = new std::mutex;
  static auto* cache = new std::map<Key, std::shared_ptr<const Part>>;
  const std::lock_guard lock(*mutex);
  const auto at = cache->find({pass, s});
  if (at != cache->end()) return at->second;
  if (cache->size() >= kCacheLimit) cache->clear();
  try {
    const OneThread one;
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    auto made = std::make_shared<const Part>(
        pass == Pass::kForward ? make_forward(s, attr) : make_kernel(s, attr));
    return cache->emplace(Key{pass, s}, made).first->second;
  } catch (const dnnl::error& e) {
    throw Error(Code::kInternal,
                "convolution: oneDNN refused [" + std::to_string(s.batch) +
                    "," + std::to_string(s.in[0]) + "," +
                    std::to_string(s.in[1]) + "," + std::to_string(s.inputs) +
                    "]: " + e.what());
  }
}

void execute(const dnnl::primitive& primitive, const Arguments& arguments) {
  thread_local const dnnl::stream stream(dnnl_cpu());
  primitive.execute(stream, arguments);
}

// The batch in parts of one size, the last one shorter.
struct Split {
  int64_t step;
  int64_t count;
  std::shared_ptr<const Part> whole;
  std::shared_ptr<const Part> last;

  const Part& part(int64_t i) const { return i + 1 < count ? *whole : *last; }
};

Split split(Pass pass, const ConvolutionSpec& s, int64_t parts) {
  if (!convolution_fits(s)) {
    throw Error(Code::kInvalidArgument, "convolution: sizes or types");
  }
  Split r{};
  r.step = (s.batch + parts - 1) / parts;
  r.count = (s.batch + r.step - 1) / r.step;
  ConvolutionSpec part = s;
  part.batch = r.step;
  r.whole = get_part(pass, part);
  part.batch = s.batch - (r.count - 1) * r.step;
  r.last = get_part(pass, part);
  return r;
}

// Where part i of a dense tensor of `per_example` elements begins.
const char* at_part(const void* data,
                    int64_t example,
                    const std::array<int64_t, 2>& size,
                    int64_t channels,
                    DType type) {
  return static_cast<const char*>(data) +
         example * size[0] * size[1] * channels *
             static_cast<int64_t>(size_bytes(type));
}

bool needs_f32(const ConvolutionSpec& s) {
  return s.in_type == DType::kBF16 && !detail::dnnl_has_bf16() &&
         convolution_fits(s);
}

}  // namespace

bool has_convolution() {
  return true;
}

void convolution(const ConvolutionSpec& s,
                 const void* x,
                 const void* w,
                 void* y) {
  if (needs_f32(s)) return detail::widened_convolution(s, x, w, y);
  const Split r = split(Pass::kForward, s, kParts);
  // The kernel is brought into shape once, for all threads.
  std::array<const void*, 2> inner{};
  {
    const OneThread one;
    for (int i = 0; i < (r.whole == r.last ? 1 : 2); ++i) {
      const Part& p = i == 0 ? *r.whole : *r.last;
      auto* to = room(kWeightSlot + i, p.inner);
      execute(p.reorder,
              {{DNNL_ARG_FROM, over(p.outer, w)},
               {DNNL_ARG_TO, over(p.inner, to)}});
      inner[static_cast<size_t>(i)] = to;
    }
  }
  parallel_for(r.count, [&](int64_t i) {
    const OneThread one;
    const Part& p = r.part(i);
    const void* weight = inner[&p == r.whole.get() ? 0 : 1];
    const int64_t n = i * r.step;
    execute(
        p.run,
        {{DNNL_ARG_SRC, over(p.x, at_part(x, n, s.in, s.inputs, s.in_type))},
         {DNNL_ARG_WEIGHTS, over(p.inner, weight)},
         {DNNL_ARG_DST, over(p.y, at_part(y, n, s.out, s.outputs, s.out_type))},
         {DNNL_ARG_SCRATCHPAD,
          over(p.scratch, room(kScratchSlot, p.scratch))}});
  });
}

void convolution_kernel_grad(const ConvolutionSpec& s,
                             const void* x,
                             const void* dy,
                             void* dw) {
  if (needs_f32(s)) return detail::widened_kernel_grad(s, x, dy, dw);
  const int64_t size = s.kernel[0] * s.kernel[1] * s.inputs * s.outputs;
  const Split r =
      split(Pass::kKernel, s, size >= kLargeKernel ? kParts / 4 : kParts);
  std::vector<float> sums(static_cast<size_t>(r.count * size));
  parallel_for(r.count, [&](int64_t i) {
    const OneThread one;
    const Part& p = r.part(i);
    const int64_t n = i * r.step;
    const auto inner = over(p.inner, room(kWeightSlot, p.inner));
    execute(
        p.run,
        {{DNNL_ARG_SRC, over(p.x, at_part(x, n, s.in, s.inputs, s.in_type))},
         {DNNL_ARG_DIFF_DST,
          over(p.y, at_part(dy, n, s.out, s.outputs, s.in_type))},
         {DNNL_ARG_DIFF_WEIGHTS, inner},
         {DNNL_ARG_SCRATCHPAD,
          over(p.scratch, room(kScratchSlot, p.scratch))}});
    execute(p.reorder,
            {{DNNL_ARG_FROM, inner},
             {DNNL_ARG_TO, over(p.outer, sums.data() + i * size)}});
  });
  for (int64_t i = 1; i < r.count; ++i) {
    const float* part = sums.data() + i * size;
    for (int64_t k = 0; k < size; ++k) sums[static_cast<size_t>(k)] += part[k];
  }
  const FloatsOut result(dw, s.out_type);
  if (s.out_type == DType::kF32) {
    std::copy_n(sums.data(), size, static_cast<float*>(dw));
  } else {
    result.write(0, size, sums.data());
  }
}

}  // namespace kexue::kernels
