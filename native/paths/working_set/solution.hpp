// What is asked of a solution on a working set, and the solution on its way to the sweep that proves it.
#pragma once

#include <cmath>
#include <optional>

#include "losses/rows.hpp"
#include "problem/certificate.hpp"

namespace normball {

// What is good enough: a gap on the set, absolute, or a KKT violation.
struct Tolerance {
  double gap = -infinity;
  double violation = 0.0;
};

// The residual that the quadratic model expected of the step that led to a solution. Its gradient is that of the
// model's minimiser, optimal, so what it proves falls short by the square of the model's error and not by the error
// itself, as the residual's proof does. (M8b)
struct DualPoint {
  Vector rows;  // w_i u_i; empty where there is none
  DualSums sums;
  double intercept_gradient = 0.0;  // 0 without an intercept
  Vector gradient;                  // X'u by position in the set

  bool exists() const { return !rows.empty(); }
  double distance() const { return exists() ? std::sqrt(sums.distance) : 0.0; }  // per norm of a column
};

struct Solution {
  struct Violator {
    Index feature;
    double gradient;
    double dual_gradient;
  };
  Vector coef;  // by position in the set
  double intercept = 0.0;
  double intercept_gradient = 0.0;
  double loss = 0.0;
  double pearson = 0.0;
  Vector residual;  // w_i f'(y_i, eta_i)
  double residual_sum = 0.0;
  Vector gradient;                  // by position, from the sweep
  std::vector<Violator> violators;  // beyond the set: the residual's gradient or the dual point's exceeds the threshold
  DualPoint dual;
  std::optional<Certificate> on_set;  // where the set's gradients are known before the sweep: what they prove
};

// What a set was left with at an earlier lambda.
struct Visited {
  double lambda = infinity;  // of none
  double intercept = 0.0;
  Vector coef;  // of all features
  Vector eta;
};

}  // namespace normball
