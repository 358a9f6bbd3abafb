// Far below the last solution neither the quadratic model nor the change of the gradient is of use: the way there is
// gone in strides, roughly.
#pragma once

#include <algorithm>

#include "core/types.hpp"

namespace normball {

// the lambdas between the last one and the next
inline Vector strides(double last, double next, double lambda_max) {
  constexpr double stride = 0.25;
  const double goal = std::max(next, 1e-4 * lambda_max);
  Vector between;
  for (double lambda = last * stride; lambda > goal; lambda *= stride) between.push_back(lambda);
  return between;
}

}  // namespace normball
