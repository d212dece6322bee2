#include "tests/ops/random_program.h"

#include <algorithm>
#include <cmath>

#include "kexue/base/random.h"
#include "kexue/ir/verify.h"
#include "tests/ops/device_check.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

constexpr int64_t kMostNodes = 40;

// Rows that can stand in the middle of a program.
bool fits(const Row& row, DType type) {
  if (std::find(row.types.begin(), row.types.end(), type) == row.types.end()) {
    return false;
  }
  int64_t size = 0;
  bool any_float = false;
  for (const In& in : row.in) {
    const bool real = in.dtype == DType::kF64;
    if (real && !in.values.empty()) return false;  // infinities and such
    if (in.shape.size() == 0) return false;
    any_float = any_float || real;
    size += in.shape.size();
  }
  return any_float && size <= 4096;
}

const std::vector<const Row*>& blocks(DType type) {
  static const auto all = [] {
    std::vector<std::vector<const Row*>> lists(kNumDTypes);
    for (const DType d : {DType::kF64, DType::kF32}) {
      for (const Row& row : sweep_rows()) {
        if (fits(row, d)) lists[static_cast<size_t>(d)].push_back(&row);
      }
    }
    return lists;
  }();
  return all[static_cast<size_t>(type)];
}

class Builder final {
 public:
  Builder(uint64_t seed, DType type)
      : random_(Key::from_seed(seed)), type_(type) {}

  RandomProgram build() {
    RandomProgram p;
    p.graph = std::make_unique<Graph>();
    const ir::Tracing tracing(*p.graph);
    add_inputs(p);
    const int64_t wanted =
        5 + static_cast<int64_t>(random_.below(kMostNodes - 4));
    while (nodes(p) < wanted) {
      const auto& list = blocks(type_);
      const Row& row = *list[random_.below(list.size())];
      const Values before = pool_;
      const Values made = add_block(row, p);
      if (nodes(p) > kMostNodes && !p.rows.empty()) {
        pool_ = before;  // unread: the clean-up drops it
        break;
      }
      p.rows.push_back(row.name);
      results_.insert(results_.end(), made.begin(), made.end());
    }
    finish(p);
    return p;
  }

 private:
  void add_inputs(RandomProgram& p) {
    const std::vector<Shape> shapes = {{}, {7}, {3, 5}, {2, 3, 4}};
    const size_t count = 1 + random_.below(3);
    for (size_t i = 0; i < count; ++i) {
      const TensorType type{type_, shapes[random_.below(shapes.size())]};
      std::vector<double> v(static_cast<size_t>(type.shape.size()));
      for (double& x : v) x = random_.normal();
      p.args.push_back(HostArray::from_doubles(type, v));
      inputs_.push_back(p.graph->input(type));
    }
    pool_ = inputs_;
  }

  // Only the nodes that something reads count.
  int64_t nodes(RandomProgram& p) {
    p.graph->set_outputs(pool_);
    const auto plain = transforms::simplify(*p.graph);
    return static_cast<int64_t>(plain->nodes().size() - plain->inputs().size());
  }

  // An earlier value in the shape and the range that a row wants.
  Value adapt(const In& in) {
    Value v = pool_[random_.below(pool_.size())];
    const int64_t want = in.shape.size();
    v = ops::reshape(v, {v.shape().size()});
    Values parts;
    for (int64_t have = 0; have < want; have += v.dim(0)) parts.push_back(v);
    if (parts.size() > 1) v = ops::concatenate(parts, 0);
    if (v.dim(0) > want) v = ops::slice_axis(v, 0, 0, want);
    v = ops::reshape(v, in.shape.dims());
    std::vector<double> offsets(static_cast<size_t>(want));
    for (double& x : offsets) x = 0.5 * random_.normal();
    const Value offset =
        ops::constant(HostArray::from_doubles({type_, in.shape}, offsets));
    return in.low + (in.high - in.low) * ops::logistic(v + offset);
  }

  Values add_block(const Row& row, RandomProgram& p) {
    (void)p;
    const auto fixed = make_inputs(row, type_);
    Values in;
    for (size_t i = 0; i < row.in.size(); ++i) {
      in.push_back(row.in[i].dtype == DType::kF64 ? adapt(row.in[i])
                                                  : ops::constant(fixed[i]));
    }
    Values made;
    for (const Value& y : row.build(in, type_)) {
      if (y.shape().size() == 0) continue;
      Value v = y;
      if (v.dtype() == DType::kBool) v = ops::convert(v, type_);
      if (v.dtype() != type_) continue;
      if (row.order == 0) v = ops::stop_gradient(v);
      made.push_back(v);
    }
    pool_.insert(pool_.end(), made.begin(), made.end());
    return made;
  }

  void finish(RandomProgram& p) {
    p.nodes = nodes(p);
    Values outs = results_;
    // Not squashed: the slope of a saturated function is all cancellation.
    const Value loss = results_.empty() ? Value{} : weighted_sum(results_);
    if (loss) {
      for (const Value& g : transforms::gradients(loss, inputs_)) {
        outs.push_back(g);
      }
    }
    p.graph->set_outputs(outs);
    ir::verify(*p.graph);
  }

  Random random_;
  DType type_;
  Values inputs_;
  Values pool_;
  Values results_;
};

// The arguments with every element moved by a few roundings.
std::vector<HostArray> nudged(const std::vector<HostArray>& args) {
  std::vector<HostArray> out;
  for (const auto& a : args) {
    const double eps = a.dtype() == DType::kF64 ? 0x1p-50 : 0x1p-21;
    auto v = a.to_doubles();
    double sign = 1;
    for (double& x : v) x += (sign = -sign) * eps * (std::fabs(x) + 1);
    out.push_back(HostArray::from_doubles(a.type(), v));
  }
  return out;
}

// The largest difference between two arrays; infinite where one is not finite
// and the other is.
double distance(const HostArray& a, const HostArray& b) {
  const auto x = a.to_doubles();
  const auto y = b.to_doubles();
  double most = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) && std::isnan(y[i])) continue;
    if (x[i] == y[i]) continue;
    const double d = std::fabs(x[i] - y[i]);
    most = std::max(most, std::isnan(d) ? INFINITY : d);
  }
  return most;
}

double largest(const HostArray& a) {
  double most = 1e-3;
  for (const double x : a.to_doubles()) {
    if (std::isfinite(x)) most = std::max(most, std::fabs(x));
  }
  return most;
}

}  // namespace

RandomProgram random_program(uint64_t seed, DType type) {
  return Builder(seed, type).build();
}

std::string disagreement(const pjrt::Client& client,
                         uint64_t seed,
                         DType type,
                         int64_t* ill) {
  const RandomProgram p = random_program(seed, type);
  const auto want = ir::evaluate(*p.graph, p.args);
  const auto near = ir::evaluate(*p.graph, nudged(p.args));
  const auto got = run_on_device(client, *p.graph, p.args);
  const double relative = type == DType::kF64 ? 1e-11 : 1e-4;
  for (size_t i = 0; i < want.size(); ++i) {
    const double size = largest(want[i]);
    const double wobble = distance(want[i], near[i]);
    if (!(wobble <= 1e3 * relative * size)) {
      ++*ill;
      continue;
    }
    const double error = distance(got[i], want[i]);
    if (error <= relative * size + 30 * wobble) continue;
    std::string text = "seed " + std::to_string(seed) + " in " +
                       std::string(kexue::name(type)) + ", output " +
                       std::to_string(i) + " of " +
                       std::to_string(want.size()) + ": off by " +
                       std::to_string(error / size) + " of its size; rows:";
    for (const auto& row : p.rows) text += "\n  " + row;
    return text;
  }
  return "";
}

}  // namespace kexue::testing
