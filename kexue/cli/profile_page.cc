#include "kexue/cli/profile_page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kexue/report/html.h"

namespace kexue::cli {
namespace {

using report::html;
using Json = nlohmann::json;

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;"
    "padding:0 1em;color:#222}table{border-collapse:collapse;width:100%}"
    "td,th{padding:.2em .6em;text-align:right;border-bottom:1px solid #ddd;"
    "font-variant-numeric:tabular-nums}td:first-child,th:first-child"
    "{text-align:left}.bar{background:linear-gradient(#4c78a8,#4c78a8) "
    "no-repeat left/var(--w) 100%;width:12em}";

std::string table(const Json& rows, const char* key, const char* title) {
  std::string out = fmt::format(
      "<h2>By {0}</h2>\n<table><tr><th>{0}</th><th>calls</th><th>ms</th>"
      "<th>share</th><th></th><th>GFLOP/s</th><th>GB/s</th><th>of peak</th>"
      "</tr>\n",
      title);
  for (const auto& r : rows) {
    const double share = 100 * r.at("share").get<double>();
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{:.3f}</td><td>{:.1f} %</td>"
        "<td class=\"bar\" style=\"--w:{:.1f}%\"></td><td>{:.1f}</td>"
        "<td>{:.1f}</td><td>{:.0f} %</td></tr>\n",
        html(r.at(key).get<std::string>()),
        r.at("calls").get<int64_t>(),
        r.at("ms").get<double>(),
        share,
        share,
        r.at("gflops").get<double>(),
        r.at("gb_per_s").get<double>(),
        100 * r.at("of_peak").get<double>());
  }
  return out + "</table>\n";
}

}  // namespace

std::string profile_page(const std::string& profile_json) {
  const Json p = Json::parse(profile_json);
  const std::string subject = html(p.at("subject").get<std::string>());
  return fmt::format(
             "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
             "<meta name=\"viewport\" content=\"width=device-width\">"
             "<title>Profile of {0}</title><style>{1}</style>\n"
             "<h1>Profile of {0}</h1>\n<p>{2}: {3:.2f} ms as the sum of its "
             "ops, each run alone and waited for; {4:.2f} GFLOP of products, "
             "{5:.0f} % of the {6:.0f} GFLOP/s that one large product reaches "
             "here.</p>\n",
             subject,
             kStyle,
             html(p.at("dtype").get<std::string>()),
             p.at("ms").get<double>(),
             p.at("gflop").get<double>(),
             100 * p.at("of_peak").get<double>(),
             p.at("peak_gflops").get<double>()) +
         table(p.at("by_scope"), "scope", "scope") +
         table(p.at("by_op"), "op", "op") + "</html>\n";
}

}  // namespace kexue::cli
