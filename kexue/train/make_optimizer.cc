#include "kexue/train/make_optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"

namespace kexue::train {
namespace {

using optim::Option;
using optim::OptionList;

// Takes the keys that are not the rule's out of `options`.
template <class T>
std::string take(OptionList& options, const char* key, T& member) {
  const auto at = std::find_if(options.begin(),
                               options.end(),
                               [&](const Option& o) { return o.key == key; });
  if (at == options.end()) return "";
  const std::string where = at->where;
  optim::OptionReader reader("", {*at});
  reader(key, member);
  options.erase(at);
  return where;
}

// Runs f; its errors get `where` in front.
template <class F>
auto located(const std::string& where, const F& f) {
  try {
    return f();
  } catch (const Error& e) {
    const bool known = e.text().starts_with(where);
    throw Error(
        e.code(), (known ? "" : where) + io::printable(e.text()), e.hint());
  }
}

double step_number(const std::string& text) {
  double step = 0;
  const char* end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, step);
  if (failed != std::errc{} || at != end) {
    throw Error(Code::kInvalidArgument,
                fmt::format("optimizer.schedule_points: the steps must be "
                            "numbers, got \"{}\"",
                            io::printable(text.substr(0, 64))),
                "{1000 = 1, 2000 = 0.1}");
  }
  return step;
}

optim::Schedule take_schedule(OptionList& options) {
  optim::Schedule s;
  std::string kind = "linear";
  optim::NumberTable points;
  const std::string where = take(options, "schedule", kind);
  const std::string other = take(options, "schedule_points", points);
  take(options, "schedule_floor", s.floor);
  return located(where.empty() ? other : where, [&] {
    s.kind = optim::schedule_from_name(kind);
    for (const auto& [step, factor] : points) {
      s.points.emplace_back(step_number(step), factor);
    }
    std::sort(s.points.begin(), s.points.end());
    optim::check(s);
    return s;
  });
}

optim::ClipOptions take_clip(OptionList& options, double limit) {
  optim::ClipOptions c{.limit = limit};
  std::string form = "hard";
  std::string scope = "global";
  const std::string form_at = take(options, "clip", form);
  const std::string scope_at = take(options, "clip_scope", scope);
  const std::string eps_at = take(options, "clip_eps", c.eps);
  c.form = located(form_at, [&] { return optim::clip_form_from_name(form); });
  c.scope =
      located(scope_at, [&] { return optim::clip_scope_from_name(scope); });
  located(eps_at, [&] { optim::check(c); });
  return c;
}

LossTransform take_loss(OptionList& options, const std::string& task) {
  LossTransform t;
  const auto taken = [&](const char* key, auto& member) {
    const std::string where = take(options, key, member);
    located(where, [&] { check(t); });  // what came before is good
    if (t.compares() && task == "regress") {
      throw Error(Code::kInvalidArgument,
                  fmt::format("{}optimizer.{} compares the probabilities of "
                              "classes, and train.task = \"regress\" has none",
                              where,
                              key));
    }
  };
  taken("fgm", t.fgm);
  taken("fgm_add_clean", t.fgm_add_clean);
  taken("gradient_penalty", t.gradient_penalty);
  taken("r_drop", t.r_drop);
  taken("vat", t.vat);
  taken("vat_size", t.vat_size);
  taken("vat_xi", t.vat_xi);
  taken("vat_iterations", t.vat_iterations);
  taken("perturb", t.table);
  return t;
}

bool has_option(const std::string& rule, const std::string& key) {
  for (const auto& info : optim::rules()) {
    if (info.name != rule) continue;
    return std::any_of(
        info.options.begin(), info.options.end(), [&](const auto& option) {
          return option.starts_with(key + " = ");
        });
  }
  return false;
}

}  // namespace

UpdatePlan make_optimizer(const RunConfig& config) {
  OptionList options = config.optimizer;
  UpdatePlan plan;
  plan.schedule = take_schedule(options);
  plan.clip = take_clip(options, config.clip_norm);
  plan.loss = take_loss(options, config.task);
  std::string name = "adamw";
  const std::string where = take(options, "name", name);
  const bool given =
      std::any_of(options.begin(), options.end(), [](const Option& o) {
        return o.key == "weight_decay";
      });
  if (!given && has_option(name, "weight_decay")) {
    options.push_back({"weight_decay", config.weight_decay});
  }
  plan.optimizer = located(where, [&] { return optim::make(name, options); });
  return plan;
}

}  // namespace kexue::train
