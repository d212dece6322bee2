// The one exception type of the project.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace kexue {

enum class Code {
  kInvalidArgument,  // the caller's mistake: shapes, options, config keys
  kNotFound,         // a file, tensor, name or plugin that does not exist
  kCorruptData,      // a file that contradicts itself or its checksum
  kUnsupported,      // well-formed, but beyond a documented limit or version
  kIo,               // the operating system refused: errno text is included
  kDevice,           // the plugin or the device failed
  kInternal,         // our bug
};

// "invalid_argument", "not_found", ...
std::string_view to_string(Code code);

// Text: what was got, what was wanted, where; then, on lines of their own, the
// scope ("in encoder/layer"), the line of the user's source that asked for it
// ("at model.cc:12") and one "hint: ..." if the usual cause is known.
class Error final : public std::runtime_error {
 public:
  Error(Code code, std::string text, std::string hint = "");

  Code code() const { return code_; }
  const std::string& text() const { return text_; }
  const std::string& hint() const { return hint_; }
  const std::string& scope() const { return scope_; }
  const std::string& line() const { return line_; }

  // The same error with the scope it happened in; keeps an existing scope.
  Error with_scope(std::string_view scope) const;
  // The same error with the source line; keeps an existing line.
  Error with_line(std::string_view line) const;

 private:
  Error(Code code,
        std::string text,
        std::string hint,
        std::string scope,
        std::string line);

  Code code_;
  std::string text_;
  std::string hint_;
  std::string scope_;
  std::string line_;
};

}  // namespace kexue
