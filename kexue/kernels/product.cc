#include "kexue/kernels/product.h"

#include <atomic>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "kexue/base/error.h"
#include "kexue/kernels/dnnl_tools.h"
#include "kexue/kernels/floats.h"
#include "kexue/kernels/widened.h"

namespace kexue::kernels::detail {
namespace {

using Dims = dnnl::memory::dims;
using Sizes = std::array<int64_t, 4>;

constexpr size_t kCacheLimit = 2048;
constexpr int kScratchSlot = 15;

// Two axes if there is no batch. An axis of stride 0 is broadcast: size 1.
dnnl::memory::desc describe(const Sizes& sizes,
                            const Sizes& strides,
                            bool batched,
                            DType dtype) {
  Dims dims;
  Dims steps;
  for (size_t i = batched ? 0 : 2; i < 4; ++i) {
    const bool broadcast = strides[i] == 0;
    dims.push_back(broadcast ? 1 : sizes[i]);
    steps.push_back(broadcast ? 1 : strides[i]);
  }
  return {dims, dnnl_type(dtype), steps};
}

// What one thread needs to run one product without allocating.
struct Operands {
  dnnl::memory a, b, bias, c, scratch;
};

class DnnlProduct final : public Product {
 public:
  explicit DnnlProduct(const ProductKey& key) : id_(next_id()) {
    const OneThread one;
    const bool batched = key.b1 * key.b2 > 1;
    const auto a =
        describe({key.b1, key.b2, key.m, key.k}, key.a, batched, key.in);
    const auto b =
        describe({key.b1, key.b2, key.k, key.n}, key.b, batched, key.in);
    const auto c =
        describe({key.b1, key.b2, key.m, key.n}, key.c, batched, key.out);
    const auto bias = describe(
        {1, 1, 1, key.n}, {key.n, key.n, key.n, 1}, batched, DType::kF32);
    has_bias_ = key.bias;
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (key.add) {
      dnnl::post_ops ops;
      ops.append_sum(1.0f);
      attr.set_post_ops(ops);
    }
    const auto desc = has_bias_ ? dnnl::matmul::desc(a, b, bias, c)
                                : dnnl::matmul::desc(a, b, c);
    const dnnl::matmul::primitive_desc primitive_desc(desc, attr, dnnl_cpu());
    primitive_ = dnnl::matmul(primitive_desc);
    a_ = a;
    b_ = b;
    c_ = c;
    bias_ = bias;
    scratch_ = primitive_desc.scratchpad_desc();
  }

  void run(const void* a,
           const void* b,
           const float* bias,
           void* c) const noexcept override {
    const OneThread one;
    Operands& operands = operands_of_thread();
    // The library's interface is not const; it only reads these three.
    set(operands.a, const_cast<void*>(a));
    set(operands.b, const_cast<void*>(b));
    if (has_bias_) set(operands.bias, const_cast<float*>(bias));
    set(operands.c, c);
    const auto bytes = static_cast<int64_t>(scratch_.get_size());
    set(operands.scratch, thread_floats(kScratchSlot, bytes / 4 + 1));
    const std::array<dnnl_exec_arg_t, 5> args = {
        {{DNNL_ARG_SRC, operands.a.get()},
         {DNNL_ARG_WEIGHTS, operands.b.get()},
         {DNNL_ARG_DST, operands.c.get()},
         {DNNL_ARG_SCRATCHPAD, operands.scratch.get()},
         {DNNL_ARG_BIAS, has_bias_ ? operands.bias.get() : nullptr}}};
    thread_local const dnnl::stream stream(dnnl_cpu());
    const auto status = dnnl_primitive_execute(
        primitive_.get(), stream.get(), has_bias_ ? 5 : 4, args.data());
    // Unreachable: everything was checked when the primitive was made, and
    // there is no caller to tell from inside a parallel body.
    if (status != dnnl_success) __builtin_trap();
  }

 private:
  static uint64_t next_id() {
    static std::atomic<uint64_t> last{0};
    return ++last;
  }

  static void set(const dnnl::memory& memory, void* data) {
    dnnl_memory_set_data_handle_v2(memory.get(), data, nullptr);
  }

  Operands& operands_of_thread() const {
    thread_local std::unordered_map<uint64_t, Operands> known;
    const auto at = known.find(id_);
    if (at != known.end()) return at->second;
    if (known.size() >= kCacheLimit) known.clear();
    const auto make = [](const dnnl::memory::desc& desc) {
      return dnnl::memory(desc, dnnl_cpu(), DNNL_MEMORY_NONE);
    };
    return known[id_] = {make(a_),
                         make(b_),
                         has_bias_ ? make(bias_) : dnnl::memory(),
                         make(c_),
                         make(scratch_)};
  }

  uint64_t id_;
  dnnl::matmul primitive_;
  dnnl::memory::desc a_, b_, c_, bias_, scratch_;
  bool has_bias_ = false;
};

std::shared_ptr<const Product> make(const ProductKey& key) {
  if (key.in == DType::kF32 || dnnl_has_bf16()) {
    return std::make_shared<DnnlProduct>(key);
  }
  return widened_product(key, std::make_shared<DnnlProduct>(widened_key(key)));
}

}  // namespace

bool dnnl_has_bf16() {
  static const bool has = [] {
    const auto matrix = [](dnnl::memory::data_type type) {
      return dnnl::memory::desc({16, 16}, type, dnnl::memory::format_tag::ab);
    };
    const auto in = matrix(dnnl::memory::data_type::bf16);
    const auto out = matrix(dnnl::memory::data_type::f32);
    try {
      const dnnl::matmul::primitive_desc asked(dnnl::matmul::desc(in, in, out),
                                               dnnl_cpu());
      return true;
    } catch (const dnnl::error&) {
      return false;
    }
  }();
  return has;
}

bool Product::exists() {
  return true;
}

std::shared_ptr<const Product> Product::get(const ProductKey& key) {
  static auto* mutex = new std::mutex;
  static auto* cache = new std::map<ProductKey, std::shared_ptr<const Product>>;
  const std::lock_guard lock(*mutex);
  const auto at = cache->find(key);
  if (at != cache->end()) return at->second;
  if (cache->size() >= kCacheLimit) cache->clear();
  try {
    return cache->emplace(key, make(key)).first->second;
  } catch (const dnnl::error& e) {
    throw Error(Code::kInternal,
                "matmul: oneDNN refused [" + std::to_string(key.m) + "," +
                    std::to_string(key.k) + "] x [" + std::to_string(key.k) +
                    "," + std::to_string(key.n) + "]: " + e.what());
  }
}

}  // namespace kexue::kernels::detail
