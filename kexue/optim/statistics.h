// Numbers about lists of tensors (gradients, updates), whole or by group.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/ir/value.h"

namespace kexue::optim {

// Over all elements of all tensors of a list.
//
// Numerics: every element is widened to f32 (f64 if any tensor is f64) before
//           it is squared, and so is the result: 300 in f16 has norm 300.
//           Norm and cosine of zero vectors are 0, and so are their gradients.
// Errors:   kInvalidArgument for an empty list, and for two lists that differ.
Value sum_of_squares(const Values& v);
Value l1_norm(const Values& v);
Value l2_norm(const Values& v);
Value dot(const Values& a, const Values& b);
Value cosine(const Values& a, const Values& b);

// A named part of a list, by positions.
struct Group {
  std::string name;
  std::vector<size_t> members;
};

// The group's part of a list.
Values part(const Values& list, const Group& group);

// One number for each group: f[G].
//   per_group(groups, [&](const Group& g) { return l2_norm(part(grads, g)); })
// Errors: kInvalidArgument if there are no groups.
Value per_group(const std::vector<Group>& groups,
                const std::function<Value(const Group&)>& statistic);

// Errors: kInvalidArgument naming the first group whose number is infinite or
//         NaN, and `what` it is; also if the counts differ.
void require_finite(const std::vector<Group>& groups,
                    const HostArray& numbers,
                    const std::string& what);

}  // namespace kexue::optim
