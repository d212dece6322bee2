// What the backward pass keeps, and what it computes again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// Which values of a region stay in memory until its backward pass. What is not
// kept is computed again there, from what is kept and the region's inputs.
struct RematPolicy {
  std::string text = "everything";  // as graphs print it

  static RematPolicy save_everything() { return {}; }
  static RematPolicy save_nothing() { return {"nothing"}; }
  // Results of matrix products and their like (ir::Cast::kCompute).
  static RematPolicy save_products() { return {"products"}; }
  // Values that checkpoint_name marks with one of these names.
  static RematPolicy save_named(const std::vector<std::string>& names);

  bool recomputes() const { return text != "everything"; }
  // Whether the outputs of a node of the region are kept, and whether those of
  // the node that it gives a name to are.
  bool keeps(const ir::Node& node) const;
  bool keeps_input(const ir::Node& node) const;
  bool operator==(const RematPolicy&) const = default;
};

// f(inputs), with less memory between the passes.
//
// Numerics: values and gradients of any order are those of f itself. The
//           backward pass sees its inputs through an optimization barrier, so
//           that no compiler merges the two computations again. Values of
//           the surrounding trace may be used inside f.
// Errors:   kInvalidArgument if there are no inputs.
// Source:   Chen et al. 2016, arXiv:1604.06174.
Values remat(const std::function<Values(const Values&)>& f,
             const Values& inputs,
             const RematPolicy& policy = RematPolicy::save_nothing());

// x, marked for RematPolicy::save_named.
Value checkpoint_name(const Arg& x, const std::string& name);

// The same values, which no compiler may compute before all of them are there,
// nor merge with anything that stands before. Derivatives pass unchanged.
// Errors: kInvalidArgument if xs is empty.
Values optimization_barrier(const Values& xs);
Value optimization_barrier(const Arg& x);

}  // namespace kexue::ops
