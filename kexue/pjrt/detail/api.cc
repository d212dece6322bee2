#include "kexue/pjrt/detail/api.h"

#include <fmt/format.h>

#include <utility>

#include "kexue/base/error.h"

namespace kexue::pjrt::detail {
namespace {

const char* code_name(int code) {
  constexpr const char* kNames[] = {"OK",
                                    "CANCELLED",
                                    "UNKNOWN",
                                    "INVALID_ARGUMENT",
                                    "DEADLINE_EXCEEDED",
                                    "NOT_FOUND",
                                    "ALREADY_EXISTS",
                                    "PERMISSION_DENIED",
                                    "RESOURCE_EXHAUSTED",
                                    "FAILED_PRECONDITION",
                                    "ABORTED",
                                    "OUT_OF_RANGE",
                                    "UNIMPLEMENTED",
                                    "INTERNAL",
                                    "UNAVAILABLE",
                                    "DATA_LOSS",
                                    "UNAUTHENTICATED"};
  const auto i = static_cast<size_t>(code);
  return i < std::size(kNames) ? kNames[i] : "unknown code";
}

// Compiler errors may quote the whole program.
constexpr size_t kMaxMessageBytes = 8192;

std::string message_of(const PJRT_Api* api, PJRT_Error* error) {
  KEXUE_PJRT_ARGS(PJRT_Error_Message, args);
  args.error = error;
  api->PJRT_Error_Message(&args);
  if (args.message == nullptr) return "(no text)";
  const std::string_view all(args.message, args.message_size);
  std::string text(all.substr(0, kMaxMessageBytes));
  if (all.size() > kMaxMessageBytes) text += " ... (cut)";
  return text;
}

}  // namespace

void raise(const PJRT_Api* api, PJRT_Error* error, const char* call) {
  KEXUE_PJRT_ARGS(PJRT_Error_GetCode, args);
  args.error = error;
  PJRT_Error* nested = api->PJRT_Error_GetCode(&args);
  if (nested != nullptr) {
    discard(api, nested);
    args.code = PJRT_Error_Code_UNKNOWN;
  }
  std::string text = fmt::format(
      "{}: {}: {}", call, code_name(int_of(args.code)), message_of(api, error));
  discard(api, error);
  throw Error(Code::kDevice, std::move(text));
}

void discard(const PJRT_Api* api, PJRT_Error* error) noexcept {
  if (error == nullptr) return;
  KEXUE_PJRT_ARGS(PJRT_Error_Destroy, args);
  args.error = error;
  api->PJRT_Error_Destroy(&args);
}

Event::~Event() {
  if (raw_ == nullptr) return;
  KEXUE_PJRT_ARGS(PJRT_Event_Destroy, args);
  args.event = raw_;
  discard(api_, api_->PJRT_Event_Destroy(&args));
}

void Event::await(const char* what) const {
  if (raw_ == nullptr) return;
  KEXUE_PJRT_ARGS(PJRT_Event_Await, args);
  args.event = raw_;
  check(api_, api_->PJRT_Event_Await(&args), what);
}

std::vector<Attribute> attributes_of(const PJRT_NamedValue* values,
                                     size_t count) {
  std::vector<Attribute> out;
  for (size_t i = 0; i < count; ++i) {
    const auto& v = values[i];
    Attribute a{std::string(v.name, v.name_size), {}};
    switch (int_of(v.type)) {
      case PJRT_NamedValue_kString:
        a.value = std::string(v.string_value, v.value_size);
        break;
      case PJRT_NamedValue_kInt64:
        a.value = v.int64_value;
        break;
      case PJRT_NamedValue_kInt64List:
        a.value = std::vector<int64_t>(v.int64_array_value,
                                       v.int64_array_value + v.value_size);
        break;
      case PJRT_NamedValue_kFloat:
        a.value = v.float_value;
        break;
      case PJRT_NamedValue_kBool:
        a.value = v.bool_value;
        break;
      default:
        continue;  // a type of a newer API
    }
    out.push_back(std::move(a));
  }
  return out;
}

std::vector<PJRT_NamedValue> named_values(
    const std::vector<Attribute>& attributes) {
  std::vector<PJRT_NamedValue> out;
  for (const auto& a : attributes) {
    PJRT_NamedValue v{};
    v.struct_size = PJRT_NamedValue_STRUCT_SIZE;
    v.name = a.name.data();
    v.name_size = a.name.size();
    v.value_size = 1;
    if (const auto* s = std::get_if<std::string>(&a.value)) {
      v.type = PJRT_NamedValue_kString;
      v.string_value = s->data();
      v.value_size = s->size();
    } else if (const auto* i = std::get_if<int64_t>(&a.value)) {
      v.type = PJRT_NamedValue_kInt64;
      v.int64_value = *i;
    } else if (const auto* l = std::get_if<std::vector<int64_t>>(&a.value)) {
      v.type = PJRT_NamedValue_kInt64List;
      v.int64_array_value = l->data();
      v.value_size = l->size();
    } else if (const auto* f = std::get_if<float>(&a.value)) {
      v.type = PJRT_NamedValue_kFloat;
      v.float_value = *f;
    } else {
      v.type = PJRT_NamedValue_kBool;
      v.bool_value = std::get<bool>(a.value);
    }
    out.push_back(v);
  }
  return out;
}

PJRT_Buffer_Type to_pjrt(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return PJRT_Buffer_Type_PRED;
    case DType::kU8:
      return PJRT_Buffer_Type_U8;
    case DType::kI32:
      return PJRT_Buffer_Type_S32;
    case DType::kU32:
      return PJRT_Buffer_Type_U32;
    case DType::kI64:
      return PJRT_Buffer_Type_S64;
    case DType::kF16:
      return PJRT_Buffer_Type_F16;
    case DType::kBF16:
      return PJRT_Buffer_Type_BF16;
    case DType::kF32:
      return PJRT_Buffer_Type_F32;
    case DType::kF64:
      return PJRT_Buffer_Type_F64;
    case DType::kC64:
      return PJRT_Buffer_Type_C64;
    case DType::kC128:
      return PJRT_Buffer_Type_C128;
  }
  throw Error(Code::kInternal, "unknown dtype");
}

std::optional<DType> from_pjrt(int type) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (to_pjrt(dtype) == type) return dtype;
  }
  return std::nullopt;
}

}  // namespace kexue::pjrt::detail
