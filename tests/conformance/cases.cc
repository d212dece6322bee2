#include "tests/conformance/cases.h"

namespace kexue::testing {

std::vector<Case> conformance_cases() {
  std::vector<Case> cases;
  add_elementwise_cases(cases);
  add_shape_cases(cases);
  add_reduce_cases(cases);
  add_product_cases(cases);
  add_control_cases(cases);
  add_index_cases(cases);
  add_image_cases(cases);
  add_complex_cases(cases);
  add_neural_cases(cases);
  add_linear_algebra_cases(cases);
  return cases;
}

}  // namespace kexue::testing
