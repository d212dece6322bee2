#include "kexue/pjrt/ffi.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/pjrt/detail/api.h"

namespace kexue::pjrt {
namespace {

using detail::int_of;

std::optional<DType> dtype_of_ffi(int type) {
  switch (type) {
    case XLA_FFI_DataType_PRED:
      return DType::kBool;
    case XLA_FFI_DataType_U8:
      return DType::kU8;
    case XLA_FFI_DataType_S32:
      return DType::kI32;
    case XLA_FFI_DataType_U32:
      return DType::kU32;
    case XLA_FFI_DataType_S64:
      return DType::kI64;
    case XLA_FFI_DataType_F16:
      return DType::kF16;
    case XLA_FFI_DataType_BF16:
      return DType::kBF16;
    case XLA_FFI_DataType_F32:
      return DType::kF32;
    case XLA_FFI_DataType_F64:
      return DType::kF64;
    case XLA_FFI_DataType_C64:
      return DType::kC64;
    case XLA_FFI_DataType_C128:
      return DType::kC128;
    default:
      return std::nullopt;
  }
}

// Decoded buffers; the first few cost no allocation.
class Buffers final {
 public:
  // `types` are XLA_FFI_ArgType or XLA_FFI_RetType: 1 is a buffer in both.
  template <class Type>
  Buffers(const Type* types, void* const* raw, int64_t count) {
    const auto n = static_cast<size_t>(count);
    if (n > few_.size()) many_.resize(n);
    FfiBuffer* out = n > few_.size() ? many_.data() : few_.data();
    for (size_t i = 0; i < n; ++i) {
      if (int_of(types[i]) != 1) {
        throw Error(Code::kUnsupported,
                    fmt::format("custom call: operand {} is not a buffer", i));
      }
      const auto& b = *static_cast<const XLA_FFI_Buffer*>(raw[i]);
      const auto dtype = dtype_of_ffi(int_of(b.dtype));
      if (!dtype) {
        throw Error(Code::kUnsupported,
                    fmt::format("custom call: operand {} has element type {}",
                                i,
                                int_of(b.dtype)));
      }
      out[i] = {*dtype, {b.dims, static_cast<size_t>(b.rank)}, b.data};
    }
    all_ = {out, n};
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;
  std::span<const FfiBuffer> all() const { return all_; }

 private:
  std::array<FfiBuffer, 16> few_;
  std::vector<FfiBuffer> many_;
  std::span<const FfiBuffer> all_;
};

struct Found {
  int type;
  const void* value;
};

std::optional<Found> find(const void* raw, std::string_view name) {
  const auto& attrs = *static_cast<const XLA_FFI_Attrs*>(raw);
  for (int64_t i = 0; i < attrs.size; ++i) {
    const XLA_FFI_ByteSpan* n = attrs.names[i];
    if (std::string_view(n->ptr, n->len) == name) {
      return Found{int_of(attrs.types[i]), attrs.attrs[i]};
    }
  }
  return std::nullopt;
}

Found need(const void* raw, std::string_view name) {
  const auto found = find(raw, name);
  if (!found) {
    throw Error(Code::kInvalidArgument,
                fmt::format("custom call: no attribute \"{}\"", name));
  }
  return *found;
}

[[noreturn]] void wrong_type(std::string_view name, const char* want) {
  throw Error(
      Code::kInvalidArgument,
      fmt::format("custom call: attribute \"{}\" is not {}", name, want));
}

template <class T>
T load(const void* p) {
  T x;
  std::memcpy(&x, p, sizeof(T));
  return x;
}

// XLA asks, before the first call, which version the handler was built for.
bool answer_metadata(const XLA_FFI_CallFrame* frame) {
  const XLA_FFI_Extension_Base* e = frame->extension_start;
  if (e == nullptr || int_of(e->type) != XLA_FFI_Extension_Metadata)
    return false;
  XLA_FFI_Metadata* m =
      reinterpret_cast<const XLA_FFI_Metadata_Extension*>(e)->metadata;
  m->api_version.major_version = XLA_FFI_API_MAJOR;
  m->api_version.minor_version = XLA_FFI_API_MINOR;
  m->traits = 0;
  if (m->struct_size >=
      offsetof(XLA_FFI_Metadata, state_type_id) + sizeof(m->state_type_id)) {
    m->state_type_id = {0};  // stateless
  }
  return true;
}

XLA_FFI_Error_Code ffi_code(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return XLA_FFI_Error_Code_INVALID_ARGUMENT;
    case Code::kNotFound:
      return XLA_FFI_Error_Code_NOT_FOUND;
    case Code::kUnsupported:
      return XLA_FFI_Error_Code_UNIMPLEMENTED;
    default:
      return XLA_FFI_Error_Code_INTERNAL;
  }
}

XLA_FFI_Error* make_error(const XLA_FFI_CallFrame* frame,
                          XLA_FFI_Error_Code code,
                          const char* text) {
  XLA_FFI_Error_Create_Args args{};
  args.struct_size = XLA_FFI_Error_Create_Args_STRUCT_SIZE;
  args.message = text;
  args.errc = code;
  return frame->api->XLA_FFI_Error_Create(&args);
}

}  // namespace

bool FfiCall::has_attr(std::string_view name) const {
  return find(attrs_, name).has_value();
}

int64_t FfiCall::attr_int(std::string_view name) const {
  const Found f = need(attrs_, name);
  if (f.type == XLA_FFI_AttrType_SCALAR) {
    const auto& s = *static_cast<const XLA_FFI_Scalar*>(f.value);
    switch (int_of(s.dtype)) {
      case XLA_FFI_DataType_S64:
        return load<int64_t>(s.value);
      case XLA_FFI_DataType_S32:
        return load<int32_t>(s.value);
      case XLA_FFI_DataType_U32:
        return load<uint32_t>(s.value);
      case XLA_FFI_DataType_PRED:
      case XLA_FFI_DataType_U8:
        return load<uint8_t>(s.value);
      default:
        break;
    }
  }
  wrong_type(name, "an integer");
}

double FfiCall::attr_float(std::string_view name) const {
  const Found f = need(attrs_, name);
  if (f.type == XLA_FFI_AttrType_SCALAR) {
    const auto& s = *static_cast<const XLA_FFI_Scalar*>(f.value);
    if (int_of(s.dtype) == XLA_FFI_DataType_F32) {
      return static_cast<double>(load<float>(s.value));
    }
    if (int_of(s.dtype) == XLA_FFI_DataType_F64) return load<double>(s.value);
  }
  wrong_type(name, "f32 or f64");
}

std::span<const int64_t> FfiCall::attr_ints(std::string_view name) const {
  const Found f = need(attrs_, name);
  if (f.type == XLA_FFI_AttrType_ARRAY) {
    const auto& a = *static_cast<const XLA_FFI_Array*>(f.value);
    if (int_of(a.dtype) == XLA_FFI_DataType_S64) {
      return {static_cast<const int64_t*>(a.data), a.size};
    }
  }
  wrong_type(name, "an array of i64");
}

namespace detail {

void* ffi_dispatch(void* call_frame, FfiFunction function) noexcept {
  const auto* frame = static_cast<const XLA_FFI_CallFrame*>(call_frame);
  if (answer_metadata(frame)) return nullptr;
  if (int_of(frame->stage) != XLA_FFI_ExecutionStage_EXECUTE) return nullptr;
  try {
    const Buffers args(frame->args.types, frame->args.args, frame->args.size);
    const Buffers rets(frame->rets.types, frame->rets.rets, frame->rets.size);
    function(FfiCall(args.all(), rets.all(), &frame->attrs));
    return nullptr;
  } catch (const Error& e) {
    return make_error(frame, ffi_code(e.code()), e.what());
  } catch (const std::exception& e) {
    return make_error(frame, XLA_FFI_Error_Code_INTERNAL, e.what());
  } catch (...) {
    return make_error(
        frame, XLA_FFI_Error_Code_INTERNAL, "custom call: unknown exception");
  }
}

}  // namespace detail

void register_ffi(const Plugin& plugin, std::span<const FfiTarget> targets) {
  detail::PluginState& s = *plugin.state();
  if (s.ffi == nullptr) {
    throw Error(Code::kUnsupported,
                fmt::format("plugin {}: it cannot register custom calls (no "
                            "FFI extension, or an API before 0.106)",
                            s.path.string()),
                "programs without custom calls run on it");
  }
  constexpr std::string_view kPlatform = "Host";
  const std::lock_guard lock(s.mutex);
  for (const auto& target : targets) {
    const auto known = s.ffi_handlers.find(target.name);
    if (known != s.ffi_handlers.end()) {
      if (known->second == target.handler) continue;
      throw Error(Code::kInvalidArgument,
                  fmt::format("custom call \"{}\" stands for another function "
                              "already",
                              target.name));
    }
    detail::FfiRegisterHandlerArgs args{};
    args.struct_size = detail::kFfiRegisterHandlerArgsSize;
    args.target_name = target.name;
    args.target_name_size = std::strlen(target.name);
    args.handler = target.handler;
    args.platform_name = kPlatform.data();
    args.platform_name_size = kPlatform.size();
    detail::check(
        s.api, s.ffi->register_handler(&args), "PJRT_FFI_Register_Handler");
    s.ffi_handlers.emplace(target.name, target.handler);
  }
}

}  // namespace kexue::pjrt
