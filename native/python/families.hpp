// Every design meets every loss: one translation unit a family, so that they compile side by side.
#pragma once

#include <stdexcept>
#include <string>

#include "design/csc.hpp"
#include "design/dense.hpp"
#include "losses/logistic.hpp"
#include "losses/poisson.hpp"
#include "losses/squared_error.hpp"

namespace normball {

template <Design D, Loss L>
PathResult solve_path(D design, const Specification& spec, int n_threads, const Monitor::Poll& poll);

template <Design D>
PathResult solve_family(const D& design, const std::string& family, const Specification& spec, int n_threads,
                        const Monitor::Poll& poll) {
  if (family == "gaussian") return solve_path<D, SquaredError>(design, spec, n_threads, poll);
  if (family == "binomial") return solve_path<D, Logistic>(design, spec, n_threads, poll);
  if (family == "poisson") return solve_path<D, Poisson>(design, spec, n_threads, poll);
  throw std::invalid_argument("unknown family: " + family);
}

// definitions for one loss and all designs
#define NORMBALL_INSTANTIATE_FAMILY(L)                                                                          \
  template PathResult solve_path<Dense<double, false>, L>(Dense<double, false>, const Specification&, int,      \
                                                          const Monitor::Poll&);                                \
  template PathResult solve_path<Dense<double, true>, L>(Dense<double, true>, const Specification&, int,        \
                                                         const Monitor::Poll&);                                 \
  template PathResult solve_path<Dense<float, false>, L>(Dense<float, false>, const Specification&, int,        \
                                                         const Monitor::Poll&);                                 \
  template PathResult solve_path<Dense<float, true>, L>(Dense<float, true>, const Specification&, int,          \
                                                        const Monitor::Poll&);                                  \
  template PathResult solve_path<Csc<double>, L>(Csc<double>, const Specification&, int, const Monitor::Poll&); \
  template PathResult solve_path<Csc<float>, L>(Csc<float>, const Specification&, int, const Monitor::Poll&);

}  // namespace normball
