// Cases that another system computes, too. The Python side (compare_torch.py)
// has a function for each id; a case without one is an error there.
#pragma once

#include <string>
#include <vector>

#include "tests/ops/sweep_rows.h"

namespace kexue::testing {

struct Case {
  std::string id;  // "sum/axis1"
  std::vector<In> in;
  std::function<Values(const Values&)> build;
  // Gradients of sum_i <w_i, output_i> for every float input.
  bool gradient = true;
};

void add_elementwise_cases(std::vector<Case>& cases);
void add_shape_cases(std::vector<Case>& cases);
void add_reduce_cases(std::vector<Case>& cases);
void add_product_cases(std::vector<Case>& cases);
void add_control_cases(std::vector<Case>& cases);
void add_image_cases(std::vector<Case>& cases);
void add_complex_cases(std::vector<Case>& cases);
void add_index_cases(std::vector<Case>& cases);
void add_neural_cases(std::vector<Case>& cases);
void add_linear_algebra_cases(std::vector<Case>& cases);

std::vector<Case> conformance_cases();

}  // namespace kexue::testing
