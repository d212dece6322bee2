// Loops and branches inside the program.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"
#include "kexue/ops/remat.h"

namespace kexue::ops {

struct ScanOptions {
  int64_t length = -1;   // steps; taken from xs if there are any
  bool reverse = false;  // last slice first
  // What each turn keeps for the backward pass beside the carry that enters.
  RematPolicy remat = {};
};

struct ScanResult {
  Values carry;  // after the last step
  Values ys;     // stacked: [length, ...]
};

// body(carry, x) -> {carry', y} is called once, to trace it.
using ScanBody = std::function<std::pair<Values, Values>(const Values& carry,
                                                         const Values& x)>;

// for t in 0..length-1: carry, ys[t] = body(carry, xs[t]).
//
// Shapes:   xs[i] f[length,...] is seen as [...]; carry' has carry's types.
// Numerics: gradients of any order run as scans in the other direction.
//           Values of the surrounding trace may be used inside the body.
// Errors:   kInvalidArgument if xs differ in length, or carry' in type.
ScanResult scan(const ScanBody& body,
                const Values& carry,
                const Values& xs,
                const ScanOptions& options = {});

using LoopBody = std::function<Values(const Values&)>;
using WhileCondition = std::function<Value(const Values& carry)>;
using ForBody = std::function<Values(const Value& i, const Values& carry)>;
using BranchFunction = std::function<Values(const Values& operands)>;
using CombineFunction = std::function<Values(const Values& a, const Values& b)>;

// while cond(carry): carry = body(carry). With max_trips >= 0 the loop ends
// after that many turns at the latest, and has a derivative.
//
// Shapes:   cond gives bool[]; body gives the types of the carry.
// Numerics: the bounded form is a scan of max_trips turns whose body is
//           skipped once cond has failed: it never sees values that the loop
//           would not have.
// Errors:   kInvalidArgument for other shapes; kUnsupported where a gradient
//           must flow through the unbounded form.
Values while_loop(const WhileCondition& cond_fn,
                  const LoopBody& body,
                  const Values& carry,
                  int64_t max_trips = -1);

// for i in 0..turns-1: carry = body(i, carry), i an i32[]. A scan.
Values fori(int64_t turns, const ForBody& body, const Values& carry);

// f of every slice along the leading axis, stacked. One slice at a time: a
// scan without a carry.
Values map(const LoopBody& f, const Values& xs);

// true_fn(operands) if pred, else false_fn(operands). Only the branch that is
// taken runs. Values of the surrounding trace may be used inside.
//
// Shapes:   pred bool[]; both branches return the same types.
// Numerics: the branch that was not taken has derivative 0, whatever it would
//           compute. The backward pass runs the branch again instead of
//           keeping its values.
// Errors:   kInvalidArgument if pred is no bool[] or the branches differ.
Values cond(const Arg& pred,
            const BranchFunction& true_fn,
            const BranchFunction& false_fn,
            const Values& operands = {});

// branches[index](operands), as cond. index i32[] is clamped to the list.
// Errors: kInvalidArgument if index is no i32[], there are no branches, or
//         they differ in what they return.
Values switch_case(const Arg& index,
                   const std::vector<BranchFunction>& branches,
                   const Values& operands = {});

// y[0] = x[0], y[t] = combine(y[t-1], x[t]) along an axis, for a combination
// that is associative; from the other end if `reversed` (then y[t] =
// combine(y[t+1], x[t])). `xs` is a tuple of tensors that combine takes
// together, whole blocks of them at a time.
//
// Shapes:   xs[i] [...,T,...], one T for all; combine is elementwise along
//           the axis.
// Numerics: about 2 log2(T) combinations deep and 2 T long, of any length;
//           the order of combination differs from the loop's, so floats agree
//           to rounding. Made of ops: gradients of any order.
// Errors:   kInvalidArgument if the axis is missing, lengths differ or combine
//           changes a type.
// Source:   Blelloch 1990, "Prefix sums and their applications".
Values associative_scan(const CombineFunction& combine,
                        const Values& xs,
                        int64_t axis = 0,
                        bool reversed = false);

}  // namespace kexue::ops
