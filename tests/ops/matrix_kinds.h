// Matrices that decompositions find easy and hard, and what all of their
// results have in common.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kexue/base/host_array.h"

namespace kexue::testing {

enum class Kind { kRandom, kIdentity, kRankOne, kZero, kHilbert, kGraded };
std::string name(Kind kind);

// Of sizes 0 to 33, in f64 and f32, some in batches; also [5,3] and [3,5] if
// `any_shape`.
std::vector<HostArray> matrices(Kind kind, bool any_shape);

// One such matrix, or batch of them.
HostArray matrix(Kind kind, const TensorType& type);

// Each vector of the last axis ascends (order 1) or descends (-1).
void expect_sorted(const HostArray& x, int order);
// In each column of each matrix the first entry of at least 0.99 of the
// largest magnitude is positive.
void expect_leading_positive(const HostArray& x);

}  // namespace kexue::testing
