// 100 steps of every rule against PyTorch, optax and numpy: see
// tests/golden/make_optimizers.py.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/io/json.h"
#include "kexue/ir/evaluate.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "kexue/optim/optim.h"
#include "kexue/transforms/grad.h"
#include "tests/support/data_files.h"

namespace kexue::optim {
namespace {

using json = nlohmann::json;
using Arrays = std::vector<HostArray>;
using Numbers = std::vector<double>;

HostArray tensor(const json& values) {
  Numbers flat;
  Shape shape;
  if (values[0].is_array()) {
    for (const auto& row : values) {
      for (const auto& x : row) flat.push_back(x.get<double>());
    }
    shape = {static_cast<int64_t>(values.size()),
             static_cast<int64_t>(values[0].size())};
  } else {
    flat = values.get<Numbers>();
    shape = {static_cast<int64_t>(values.size())};
  }
  return HostArray::from_doubles({DType::kF64, shape}, flat);
}

OptionList options_of(const json& object) {
  OptionList out;
  for (const auto& [key, v] : object.items()) {
    OptionValue value;
    if (v.is_boolean()) value = v.get<bool>();
    if (v.is_number()) value = v.get<double>();
    if (v.is_string()) value = v.get<std::string>();
    if (v.is_array()) value = v.get<NameList>();
    out.push_back({key, value});
  }
  return out;
}

// The problem of the file, in f64 on the host evaluator.
class Problem final {
 public:
  Problem(const json& file, OptimizerPtr rule) : rule_(std::move(rule)) {
    for (const auto& t : file.at("start")) state_.push_back(tensor(t));
    names_ = file.at("names").get<NameList>();
    for (size_t i = 0; i < names_.size(); ++i) {
      for (const auto& slot : rule_->slots(target(i))) {
        state_.push_back(initial(slot, state_[i]));
      }
    }
    trace(step_, file, false);
    trace(evaluation_, file, true);
  }

  void step(double lr) {
    Arrays args = state_;
    args.push_back(HostArray::scalar(lr));
    args.push_back(HostArray::scalar(static_cast<double>(++count_)));
    state_ = ir::evaluate(step_, args);
  }

  Numbers params() const {
    return flat({state_.begin(), state_.begin() + count_of_params()});
  }
  Numbers evaluated() const {
    Arrays args = state_;
    args.push_back(HostArray::scalar(0.0));
    args.push_back(HostArray::scalar(static_cast<double>(count_)));
    return flat(ir::evaluate(evaluation_, args));
  }

 private:
  long count_of_params() const { return static_cast<long>(names_.size()); }
  Target target(size_t i) const { return {names_[i], state_[i].type()}; }

  static Numbers flat(const Arrays& arrays) {
    Numbers out;
    for (const auto& a : arrays) {
      const auto values = a.to_doubles();
      out.insert(out.end(), values.begin(), values.end());
    }
    return out;
  }

  void trace(Graph& g, const json& file, bool evaluation) {
    const ir::Tracing tracing(g);
    Values in;
    for (const auto& a : state_) in.push_back(g.input(a.type()));
    const Value lr = g.input({DType::kF64, {}});
    const Value count = g.input({DType::kF64, {}});
    const Value x = ops::constant(tensor(file.at("x")));
    const Value y = ops::constant(tensor(file.at("y")));
    const Value h = ops::tanh(ops::matmul(x, in[0]) + in[1]);
    const Value e = ops::matmul(h, in[2]) - y;
    const Values grads =
        transforms::gradients(ops::mean(e * e), {in[0], in[1], in[2]});
    Values out;
    Values slots;
    size_t at = names_.size();
    for (size_t i = 0; i < names_.size(); ++i) {
      Update u{names_[i], in[i], grads[i], {}, lr, count};
      const size_t n = rule_->slots(target(i)).size();
      for (size_t k = 0; k < n; ++k) u.slots.push_back(in[at++]);
      if (evaluation) {
        out.push_back(rule_->evaluation(u));
        continue;
      }
      const Values next = rule_->apply(u);
      ASSERT_EQ(next.size(), n + 1);
      out.push_back(next[0]);
      slots.insert(slots.end(), next.begin() + 1, next.end());
    }
    out.insert(out.end(), slots.begin(), slots.end());
    g.set_outputs(out);
  }

  OptimizerPtr rule_;
  NameList names_;
  Arrays state_;
  Graph step_;
  Graph evaluation_;
  int64_t count_ = 0;
};

// The largest difference, relative to the largest number.
double distance(const Numbers& got, const Numbers& want) {
  if (got.size() != want.size()) return HUGE_VAL;
  double worst = 0;
  double largest = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::fabs(got[i] - want[i]));
    largest = std::max(largest, std::fabs(want[i]));
  }
  return worst / largest;
}

TEST(Golden, HundredStepsOfEveryRuleAgree) {
  const json file =
      io::parse_json_file(testing::golden_path("optimizers.json"));
  NameList seen;
  for (const auto& run : file.at("runs")) {
    const auto rule = run.at("rule").get<std::string>();
    SCOPED_TRACE(rule + " " + run.at("options").dump() + " against " +
                 run.at("source").get<std::string>());
    seen.push_back(rule);
    const auto tolerance = run.at("tolerance").get<double>();
    Problem problem(file, make(rule, options_of(run.at("options"))));
    for (int step = 1; step <= 100; ++step) {
      const json& lr = run.at("lr");
      problem.step(lr.is_array()
                       ? lr.at(static_cast<size_t>(step - 1)).get<double>()
                       : lr.get<double>());
      const std::string key = std::to_string(step);
      if (run.at("after").contains(key)) {
        EXPECT_LT(distance(problem.params(), run["after"][key]), tolerance)
            << key;
      }
      if (run.at("evaluated").contains(key)) {
        EXPECT_LT(distance(problem.evaluated(), run["evaluated"][key]),
                  tolerance)
            << key;
      }
    }
  }
  for (const auto& info : rules()) {
    EXPECT_NE(std::find(seen.begin(), seen.end(), info.name), seen.end())
        << info.name << " is compared with nothing";
  }
}

}  // namespace
}  // namespace kexue::optim
