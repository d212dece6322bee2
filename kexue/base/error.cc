#include "kexue/base/error.h"

#include <utility>

namespace kexue {
namespace {

std::string compose(const std::string& text,
                    const std::string& hint,
                    const std::string& scope,
                    const std::string& line) {
  std::string all = text;
  if (!scope.empty()) all += "\nin " + scope;
  if (!line.empty()) all += "\nat " + line;
  if (!hint.empty()) all += "\nhint: " + hint;
  return all;
}

}  // namespace

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "invalid_argument";
    case Code::kNotFound:
      return "not_found";
    case Code::kCorruptData:
      return "corrupt_data";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kIo:
      return "io";
    case Code::kDevice:
      return "device";
    case Code::kInternal:
      return "internal";
  }
  return "unknown";
}

Error::Error(Code code, std::string text, std::string hint)
    : Error(code, std::move(text), std::move(hint), "", "") {}

Error::Error(Code code,
             std::string text,
             std::string hint,
             std::string scope,
             std::string line)
    : std::runtime_error(compose(text, hint, scope, line)),
      code_(code),
      text_(std::move(text)),
      hint_(std::move(hint)),
      scope_(std::move(scope)),
      line_(std::move(line)) {}

Error Error::with_scope(std::string_view scope) const {
  if (!scope_.empty() || scope.empty()) return *this;
  return Error(code_, text_, hint_, std::string(scope), line_);
}

Error Error::with_line(std::string_view line) const {
  if (!line_.empty() || line.empty()) return *this;
  return Error(code_, text_, hint_, scope_, std::string(line));
}

}  // namespace kexue
