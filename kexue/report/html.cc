#include "kexue/report/html.h"

#include <fmt/format.h>

#include <cmath>

#include "kexue/text/unicode.h"

namespace kexue::report {
namespace {

bool is_allowed(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return true;
  return c >= 0x20 && !(c >= 0x7F && c < 0xA0);
}

std::string duration(double seconds) {
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string rate(double value) {
  if (std::abs(value) < 1e4) return fmt::format("{:.4g}", value);
  if (std::abs(value) < 1e6) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.1f}M", value / 1e6);
}

}  // namespace

std::string html(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (size_t at = 0; at < text.size();) {
    const text::CodePoint c = text::decode_at(text, at);
    at += c.bytes;
    switch (c.value) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        text::append_utf8(is_allowed(c.value) ? c.value : text::kReplacement,
                          out);
    }
  }
  return out;
}

std::string script_json(std::string_view ascii_json) {
  std::string out;
  out.reserve(ascii_json.size());
  for (const char c : ascii_json) {
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else {
      out += c;
    }
  }
  return out;
}

std::string script_source(std::string_view source) {
  const size_t map = source.rfind("\n//# sourceMappingURL=");
  if (map != std::string_view::npos) source = source.substr(0, map);
  std::string out;
  out.reserve(source.size());
  for (size_t at = 0; at < source.size(); ++at) {
    const bool closes = source[at] == '<' && at + 1 < source.size() &&
                        source[at + 1] == '/' && at + 2 < source.size() &&
                        (source[at + 2] == 's' || source[at + 2] == 'S');
    out += source[at];
    if (closes) out += '\\';
  }
  return out;
}

std::string figure(double value, Unit unit) {
  if (!std::isfinite(value)) return "-";
  switch (unit) {
    case Unit::kPercent:
      return fmt::format("{:.1f} %", value * 100);
    case Unit::kRate:
      return rate(value);
    case Unit::kSeconds:
      return duration(value);
    case Unit::kSmall:
    case Unit::kNumber:
      break;
  }
  return fmt::format("{:.4g}", value);
}

std::string grouped(int64_t value) {
  std::string out = fmt::format("{}", value);
  const size_t stop = value < 0 ? 1 : 0;
  for (size_t at = out.size(); at > stop + 3;) {
    at -= 3;
    out.insert(at, 1, ',');
  }
  return out;
}

}  // namespace kexue::report
