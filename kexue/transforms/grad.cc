#include "kexue/transforms/grad.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ir/location.h"
#include "kexue/ops/backprop.h"
#include "kexue/ops/ops.h"

namespace kexue::transforms {
namespace {

// x 2, "encoder.query" f32[768,768]: inputs have a name, others an op.
std::string describe(size_t i, const Value& x) {
  const Node& n = *x.node();
  const bool named = ir::is_input(n) && n.attrs.has("name");
  return fmt::format("x {}, {} {}",
                     i,
                     named ? fmt::format("\"{}\"", n.attrs.s("name"))
                           : fmt::format("made by {},", n.op->name),
                     x.type().str());
}

void want_inexact(const Values& xs) {
  for (size_t i = 0; i < xs.size(); ++i) {
    if (is_inexact(xs[i].dtype())) continue;
    throw Error(
        Code::kInvalidArgument,
        "gradient: wants float or complex tensors, got " + describe(i, xs[i]))
        .with_scope(Scope::path());
  }
}

// The cotangent 1, as if the line of the loss had made it.
Value seed_of(const Value& loss) {
  const ir::NodeOrigin origin(*loss.node(), 1);
  return ops::ones_like(loss);
}

}  // namespace

Values vjp(const Values& ys,
           const Values& dys,
           const Values& xs,
           const GradientOptions& options) {
  want_inexact(xs);
  if (ys.size() != dys.size()) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "gradient: {} values, {} cotangents", ys.size(), dys.size()));
  }
  for (size_t i = 0; i < ys.size(); ++i) {
    if (dys[i] && dys[i].type() != ys[i].type()) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("gradient: a cotangent is {}, its value {}",
                              dys[i].type().str(),
                              ys[i].type().str()))
          .with_scope(Scope::path());
    }
  }
  Values out = ops::backpropagate(ys, dys, xs);
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i]) continue;
    if (options.refuse_independent) {
      throw Error(Code::kInvalidArgument,
                  "gradient: the loss does not depend on " + describe(i, xs[i]))
          .with_scope(xs[i].node()->scope)
          .with_line(ir::to_string(xs[i].node()->where));
    }
    const ir::NodeOrigin origin(*xs[i].node(), 1);
    out[i] = ops::zeros_like(xs[i]);
  }
  return out;
}

Values gradients(const Value& loss,
                 const Values& xs,
                 const GradientOptions& options) {
  if (is_complex(loss.dtype())) {
    throw Error(Code::kInvalidArgument,
                "gradient: wants a real loss, got " + loss.type().str(),
                "take its real(), imag() or abs()")
        .with_scope(Scope::path());
  }
  if (loss.rank() != 0 || !is_float(loss.dtype())) {
    throw Error(Code::kInvalidArgument,
                "gradient: wants a float scalar, got " + loss.type().str(),
                "reduce the loss with sum or mean first")
        .with_scope(Scope::path());
  }
  return vjp({loss}, {seed_of(loss)}, xs, options);
}

Map linearize(const Values& ys, const Values& xs) {
  want_inexact(ys);
  want_inexact(xs);
  Values us;  // a cotangent to differentiate by; its value does not matter
  for (const Value& y : ys) us.push_back(ops::zeros_like(y));
  const Values pulled = ops::backpropagate(ys, us, xs);
  return [ys, xs, us, pulled](const Values& vs) {
    if (vs.size() != xs.size()) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format("jvp: {} inputs, {} tangents", xs.size(), vs.size()));
    }
    Values from;
    Values along;
    for (size_t i = 0; i < vs.size(); ++i) {
      if (vs[i] && vs[i].type() != xs[i].type()) {
        throw Error(Code::kInvalidArgument,
                    fmt::format("jvp: a tangent is {}, its input {}",
                                vs[i].type().str(),
                                xs[i].type().str()))
            .with_scope(Scope::path());
      }
      if (!vs[i] || !pulled[i]) continue;
      from.push_back(pulled[i]);
      along.push_back(vs[i]);
    }
    Values out = ops::backpropagate(from, along, us);
    for (size_t i = 0; i < out.size(); ++i) {
      if (!out[i]) out[i] = ops::zeros_like(ys[i]);
    }
    return out;
  };
}

Values jvp(const Values& ys, const Values& xs, const Values& vs) {
  return linearize(ys, xs)(vs);
}

std::function<std::pair<Values, Values>(const Values&, const Values&)> jvp(
    const Map& f) {
  return [f](const Values& x, const Values& v) {
    const Values y = f(x);
    return std::pair(y, jvp(y, x, v));
  };
}

std::function<Values(const Values&)> grad(const Function& f) {
  return [f](const Values& x) { return gradients(f(x), x); };
}

std::function<std::pair<Value, Values>(const Values&)> value_and_grad(
    const Function& f) {
  return [f](const Values& x) {
    const Value y = f(x);
    return std::pair(y, gradients(y, x));
  };
}

std::function<Values(const Values&, const Values&)> hvp(const Function& f,
                                                        Hvp form) {
  if (form == Hvp::kForwardOverReverse) {
    return [f](const Values& x, const Values& v) {
      return jvp(gradients(f(x), x), x, v);
    };
  }
  return [f](const Values& x, const Values& v) {
    const Values g = gradients(f(x), x);
    Value dot;
    for (size_t i = 0; i < g.size(); ++i) {
      const Value part =
          ops::sum(ops::real(ops::conj(g[i]) * ops::stop_gradient(v[i])));
      dot = dot ? dot + part : part;
    }
    return gradients(dot, x);
  };
}

}  // namespace kexue::transforms
