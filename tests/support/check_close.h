// Closeness with one tolerance table per dtype.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "kexue/base/host_array.h"

namespace kexue::testing {

struct Tolerance {
  double relative;
  double absolute;
};

// The elements; of a complex array the real and imaginary parts in turn.
std::vector<double> parts(const HostArray& array);
HostArray from_parts(const TensorType& type, const std::vector<double>& parts);

// f64 1e-12, f32 2e-6, bf16 1e-2, f16 2e-3 (relative, same absolute floor);
// complex as their parts; integers and bool exact.
Tolerance tolerance(DType dtype);

// |got - want| <= absolute + relative * |want| for each element, complex ones
// by their absolute values; equal infinities and NaN in the same places count
// as close. Types must agree. Shows the worst element.
::testing::AssertionResult close(const HostArray& got, const HostArray& want);
::testing::AssertionResult close(const HostArray& got,
                                 const HostArray& want,
                                 Tolerance tolerance);

}  // namespace kexue::testing
