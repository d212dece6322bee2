// Text and numbers made fit for a page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kexue::report {

// For element content and quoted attributes. Broken UTF-8 and control
// characters that HTML forbids become U+FFFD.
std::string html(std::string_view text);

// JSON in ASCII that may stand inside <script>: "<" and ">" become \u003c and
// \u003e, so neither "</script>" nor "<!--" can appear.
std::string script_json(std::string_view ascii_json);
// The same care for a script's source, where "</script" can only be in a
// string; drops the trailing comment that names a source map.
std::string script_source(std::string_view source);

enum class Unit { kNumber, kSmall, kPercent, kRate, kSeconds };

// "0.2134", "5e-05", "87.9 %", "12.3k", "12 min 34 s"; "-" for NaN.
std::string figure(double value, Unit unit);
// 17361 -> "17,361".
std::string grouped(int64_t value);

}  // namespace kexue::report
