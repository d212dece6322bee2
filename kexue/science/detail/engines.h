// Private to science: the engines behind count_colourings.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "kexue/base/random.h"
#include "kexue/science/colouring.h"
#include "kexue/science/detail/big.h"

namespace kexue::science::detail {

Big enumerate(const ColouringProblem& problem);
Big transfer(const ColouringProblem& problem);

// Segments that must have colours bound to each other, as a symmetry that
// fixes a colouring binds them: the colour of segment s is turn[s] of the
// colour of segment root[s].
struct Binding {
  std::vector<int> root;
  std::vector<std::vector<int>> turn;
  // Colours that a root may have.
  std::vector<std::vector<char>> allowed;
};
// Every segment its own root.
Binding free_binding(const ColouringProblem& problem);

Big eliminate(const ColouringProblem& problem, const Binding& binding);

}  // namespace kexue::science::detail
