// Where a problem stands on its path, on the standardised scale.
#pragma once

#include "core/types.hpp"

namespace normball {

struct Iterate {
  Vector coef = {};
  Vector gradient = {};    // of the mean loss
  double intercept = 0.0;  // at the centre of the columns
  double intercept_gradient = 0.0;
  double loss = infinity;
  double pearson = 0.0;  // Pearson's statistic, sum w f'^2 / f''
  double squares = 0.0;  // sum w f'^2
};

inline Iterate iterate_at_zero(Index n_features) {
  const auto p = static_cast<std::size_t>(n_features);
  return {.coef = Vector(p, 0.0), .gradient = Vector(p, 0.0)};
}

}  // namespace normball
