// Where every solver of a curved loss starts: the intercept alone, at the mean of the response.
#pragma once

#include "../losses/loss.hpp"
#include "../problem.hpp"

namespace normball {

template <Loss L>
struct NullStart {
  double intercept = 0.0;  // 0 without one
  double constant = 0.0;   // the part of the loss that does not depend on eta
  double magnitude = 1.0;  // size of the terms that the loss sums

  explicit NullStart(const Problem& problem) {
    const Specification& spec = *problem.spec;
    double mean = 0.0;
    double mean_offset = 0.0;
    for (Index i = 0; i < spec.n_rows; ++i) {
      mean += problem.weights[i] * problem.y[i];
      mean_offset += problem.weights[i] * spec.offset[i];
      constant += problem.weights[i] * L::constant(problem.y[i]);
    }
    if (spec.fit_intercept) intercept = L::link(mean) - mean_offset;
    magnitude = 1.0 + std::abs(mean) * (1.0 + std::abs(L::link(mean)));
  }
};

}  // namespace normball
