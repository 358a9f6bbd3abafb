// Solutions change almost linearly between two lambdas while signs stay: the last two point to the next.
#pragma once

#include <algorithm>

#include "penalties/elastic_net.hpp"

namespace normball {

// How many of the last steps the next one is; 0 where there was none (`earlier` infinite) or it leads too far.
inline double continuation(double earlier, double last, double next) {
  const double length = (last - next) / (earlier - last);
  return length > 0.0 && length <= 2.0 ? length : 0.0;
}

// A coefficient that much further; what is at zero stays there, and signs and bounds stop it.
inline double continued(const ElasticNet& term, double last, double step) {
  return last == 0.0 ? 0.0 : term.reachable(last, step);
}

// Far below the last solution neither the quadratic model nor the change of the gradient is of use: the way there is
// gone in strides, roughly. The lambdas between the last one and the next:
inline Vector strides(double last, double next, double lambda_max) {
  constexpr double stride = 0.25;
  const double goal = std::max(next, 1e-4 * lambda_max);
  Vector between;
  for (double lambda = last * stride; lambda > goal; lambda *= stride) between.push_back(lambda);
  return between;
}

}  // namespace normball
