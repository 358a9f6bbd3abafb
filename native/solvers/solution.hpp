// What is asked of a solution on a working set, and the solution on its way to the sweep that proves it.
#pragma once

#include "../types.hpp"

namespace normball {

// What is good enough: a gap on the set, absolute, or a KKT violation.
struct Goal {
  double gap = -infinity;
  double violation = 0.0;
};

struct Solution {
  struct Outsider {
    Index feature;
    double gradient;
  };
  Vector coef;  // by position in the set
  double intercept = 0.0;
  double intercept_gradient = 0.0;
  double loss = 0.0;
  double spread = 0.0;
  Vector residual;  // w_i f'(y_i, eta_i)
  double residual_sum = 0.0;
  Vector gradient;                  // by position, from the sweep
  std::vector<Outsider> outsiders;  // features beyond the set whose gradient exceeds their threshold
};

}  // namespace normball
