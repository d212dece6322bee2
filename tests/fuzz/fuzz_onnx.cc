// An ONNX image: either a clean error, or initialisers as large as they say,
// with and without the names of their modules.
#include <functional>

#include "kexue/base/error.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/wire_image.h"

namespace kexue::fuzz {
namespace {

using testing::onnx_model;
using testing::onnx_tensor;
using testing::wire_bytes;
using testing::wire_number;

// True if f gave no error; every error must be of the right kind.
bool succeeds(const std::function<void()>& f) {
  try {
    f();
    return true;
  } catch (const Error& e) {
    check_code(e);
    return false;
  }
}

void check_tensors(const io::TensorSource& file) {
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    const io::TensorInfo& t = file.tensors()[i];
    check(!t.name.empty(), "tensors have names");
    check(t.shape.rank() <= 16, "rank <= 16");
    if (!t.dtype) continue;
    succeeds([&] {
      const HostArray a = file.tensor(i);
      check(a.shape() == t.shape && a.dtype() == *t.dtype, "as listed");
      check(a.bytes() <= 8 * t.bytes, "no tensor grows beyond 8 times");
      check(a.identical(file.tensor(i)), "reading changes nothing");
    });
  }
}

std::string node(const std::string& op,
                 const std::vector<std::string>& inputs,
                 const std::string& output) {
  std::string out =
      wire_bytes(4, op) + wire_bytes(2, output) + wire_bytes(3, "/m/" + op);
  for (const auto& i : inputs) out += wire_bytes(1, i);
  return wire_bytes(1, out);
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string six(24, '\1');
  const std::string typed = wire_number(1, 2) + wire_number(2, 6) +
                            wire_bytes(8, "t") + wire_number(5, 7) +
                            wire_number(5, ~uint64_t{0});
  return {onnx_model({}),
          onnx_model({onnx_tensor("a.weight", 1, {2, 3}, six), typed}),
          onnx_model({onnx_tensor("onnx::MatMul_1", 1, {3, 2}, six),
                      onnx_tensor("l.bias", 1, {2}, "12345678")},
                     node("MatMul", {"x", "onnx::MatMul_1"}, "y") +
                         node("Add", {"l.bias", "y"}, "z")),
          onnx_model({onnx_tensor("q.weight_quantized", 3, {2, 3}, "123456"),
                      onnx_tensor("q.weight_scale", 1, {}, "1234"),
                      onnx_tensor("q.weight_zero_point", 3, {}, "1"),
                      onnx_tensor("b", 9, {2}, std::string("\0\1", 2))},
                     node("MatMulInteger", {"x", "q.weight_quantized"}, "y") +
                         node("Gemm", {"y", "w", "b"}, "z"))};
}

std::vector<std::string> dictionary() {
  return {wire_number(2, 16),
          wire_number(1, ~uint64_t{0}),
          wire_number(1, uint64_t{1} << 40),
          wire_number(14, 1),
          wire_bytes(13, wire_bytes(1, "location") + wire_bytes(2, "x")),
          wire_bytes(5, onnx_tensor("n", 10, {2}, "1234")),
          wire_bytes(9, ""),
          wire_bytes(7, "evil"),
          "_quantized",
          "_scale",
          ".bias",
          ".weight"};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  fuzz::succeeds([&] {
    const auto file = testing::open_onnx(
        std::string(reinterpret_cast<const char*>(data), size));
    fuzz::check(file->tensors().size() <= size / 4, "tensors take bytes");
    fuzz::check_tensors(*file);
    fuzz::check_tensors(*io::onnx_modules(file));
  });
  return 0;
}
