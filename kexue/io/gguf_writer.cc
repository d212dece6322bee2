#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "kexue/base/checked.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/gguf.h"
#include "kexue/io/gguf_types.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"

namespace kexue::io {
namespace {

using detail::GgufTensorType;

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

void put_text(std::string& out, const std::string& text) {
  put<uint64_t>(out, text.size());
  out += text;
}

void put_value(std::string& out,
               const std::string& key,
               const GgufValue& value) {
  put_text(out, key);
  if (value.is_list) {
    put(out, static_cast<uint32_t>(GgufType::kArray));
    put(out, static_cast<uint32_t>(value.type));
    put<uint64_t>(out, value.size());
  } else {
    put(out, static_cast<uint32_t>(value.type));
  }
  for (const auto& text : value.texts) put_text(out, text);
  out += value.raw;
}

struct Plan {
  const GgufTensorType* type = nullptr;
  std::vector<int64_t> dims;  // as GGUF lists them: innermost first
  uint64_t bytes = 0;
};

Plan plan_for(const TensorInfo& t, GgufFloats floats) {
  if (t.name.empty() || t.name.size() > limits::kGgufNameBytes ||
      t.shape.rank() > 4) {
    throw Error(Code::kInvalidArgument,
                fmt::format("GGUF: tensor \"{}\" {}: names have 1-{} bytes, "
                            "ranks are at most 4",
                            printable(t.name),
                            t.shape.str(),
                            limits::kGgufNameBytes));
  }
  if (!t.dtype) {
    throw Error(
        Code::kUnsupported,
        fmt::format(
            "tensor {}: {} cannot be read", printable(t.name), t.stored));
  }
  Plan plan;
  plan.dims = t.shape.dims();
  std::reverse(plan.dims.begin(), plan.dims.end());
  if (plan.dims.empty()) plan.dims = {1};
  const bool blocks = floats == GgufFloats::kQ8_0 && is_float(*t.dtype) &&
                      t.shape.rank() >= 2 &&
                      plan.dims[0] % int64_t{kQuantBlock} == 0;
  constexpr uint32_t kQ8_0 = 8;
  plan.type =
      blocks ? detail::find_gguf_type(kQ8_0) : &detail::gguf_type_of(*t.dtype);
  plan.bytes =
      checked_mul(static_cast<uint64_t>(t.shape.size()) / plan.type->block,
                  plan.type->bytes,
                  "GGUF tensor");
  return plan;
}

uint64_t padding(uint64_t bytes) {
  constexpr uint64_t a = detail::kGgufAlignment;
  return (a - bytes % a) % a;
}

void write_tensor(AtomicFile& out, const HostArray& values, const Plan& plan) {
  if (plan.type->quant) {
    const HostArray floats = values.cast(DType::kF32);
    std::vector<std::byte> blocks(plan.bytes);
    quantize_q8_0(floats.span<float>(), blocks);
    out.write(blocks);
  } else {
    out.write(std::span(values.data(), values.bytes()));
  }
  out.write(std::string(padding(plan.bytes), '\0'));
}

}  // namespace

void save_gguf(const std::string& path,
               const TensorSource& tensors,
               const std::map<std::string, GgufValue>& values,
               GgufFloats floats,
               FileSystem& fs) {
  std::string header(detail::kGgufMagic);
  put<uint32_t>(header, 3);
  put<uint64_t>(header, tensors.tensors().size());
  // The writer pads to the default alignment.
  const bool has_alignment = values.count("general.alignment") != 0;
  put<uint64_t>(header, values.size() - (has_alignment ? 1 : 0));
  for (const auto& [key, value] : values) {
    if (key != "general.alignment") put_value(header, key, value);
  }
  std::vector<Plan> plans;
  std::unordered_set<std::string> names;
  uint64_t at = 0;
  for (const TensorInfo& t : tensors.tensors()) {
    if (!names.insert(t.name).second) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("GGUF: name \"{}\" is taken", printable(t.name)));
    }
    const Plan& plan = plans.emplace_back(plan_for(t, floats));
    put_text(header, t.name);
    put(header, static_cast<uint32_t>(plan.dims.size()));
    for (const int64_t d : plan.dims) put(header, static_cast<uint64_t>(d));
    put(header, plan.type->id);
    put(header, at);
    at = checked_add(at, plan.bytes + padding(plan.bytes), "GGUF file");
  }
  header.append(padding(header.size()), '\0');
  require_free_space(parent_folder(path), header.size() + at, fs);

  AtomicFile out(path, fs);
  out.write(header);
  for (size_t i = 0; i < plans.size(); ++i) {
    write_tensor(out, tensors.tensor(i), plans[i]);
  }
  out.commit();
}

}  // namespace kexue::io
