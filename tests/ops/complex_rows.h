// Shared by the rows of complex numbers.
#pragma once

#include <complex>
#include <vector>

#include "tests/ops/sweep_rows.h"

namespace kexue::testing {

using Complex = std::complex<double>;

// Complex numbers from their parts in turn, and back.
std::vector<Complex> paired(const Doubles& parts);
Doubles unpaired(const std::vector<Complex>& z);

// The row for f64 and f32 only: there is no complex number of 16-bit parts.
void add_complex_row(std::vector<Row>& rows, Row row);

}  // namespace kexue::testing
