#include "kexue/ops/sharding.h"

#include <fmt/format.h>

#include "kexue/ops/op_table.h"
#include "kexue/ops/support.h"

namespace kexue::ops {

using namespace detail;

namespace {

Sharding sharding_of(const Attrs& attrs) {
  return Sharding::parse(attrs.s("sharding"));
}

}  // namespace

constexpr OpDef kShard{
    .name = "shard",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      const Sharding s = sharding_of(c.attrs);
      if (static_cast<int64_t>(s.dims().size()) > c.type(0).shape.rank()) {
        refuse(c, fmt::format("{} has more dimensions", s.str()));
      }
      return {c.type(0)};
    },
    .vjp = [](const VjpContext& c) -> Values {
      return {shard(c.dy, sharding_of(c.node.attrs))};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          if (!e.has_mesh()) {
            e.bind(const_cast<Node&>(n).out(), e.get(n.inputs[0]));
            return;
          }
          e.emit(n,
                 "sdy.sharding_constraint",
                 "sharding = " +
                     e.sharding_text(sharding_of(n.attrs), n.types[0].shape));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      return {c.x[0]};
    },
    .batch = [](const BatchContext& c) -> Values {
      auto dims = sharding_of(c.node.attrs).dims();
      dims.insert(dims.begin(), Sharding::Axes{});
      return {shard(c.x[0], Sharding(dims))};
    },
    .is_view = true,
    .cast = Cast::kKeep,
};

Value shard(const Arg& x, const Sharding& sharding) {
  return x.graph().add(kShard, {x}, {{"sharding", sharding.str()}}).out();
}

}  // namespace kexue::ops
