#pragma once

#include <algorithm>
#include <cmath>

#include "core/types.hpp"

namespace normball {

inline double soft_threshold(double z, double t) { return z > t ? z - t : (z < -t ? z + t : 0.0); }

// One coordinate's term: l1 |b| + l2/2 b^2 on [lower, upper], with lower <= 0 <= upper. (M3)
struct ElasticNet {
  double l1 = 0.0;
  double l2 = 0.0;
  double lower = -infinity;
  double upper = infinity;

  double value(double b) const { return l1 * std::abs(b) + 0.5 * l2 * b * b; }

  // argmin_b curvature/2 b^2 - z b + value(b)
  double prox(double z, double curvature) const {
    return std::clamp(soft_threshold(z, l1) / (curvature + l2), lower, upper);
  }

  // b + step, stopped at 0 where the sign would change (the penalty has a kink there) and at the bounds
  double reachable(double b, double step) const {
    const double target = std::clamp(b + step, lower, upper);
    return l1 > 0.0 && target * b < 0.0 ? 0.0 : target;
  }

  // distance of -gradient to the subdifferential at b: 0 if and only if b is optimal for this coordinate
  double violation(double gradient, double b) const {
    const double smooth = gradient + l2 * b;
    const double right = b < upper ? smooth + (b >= 0.0 ? l1 : -l1) : infinity;
    const double left = b > lower ? smooth + (b > 0.0 ? l1 : -l1) : -infinity;
    return std::max({0.0, left, -right});
  }

  // sup_b z b - value(b) over the box
  double conjugate(double z) const {
    const double excess = soft_threshold(z, l1);
    if (excess == 0.0) return 0.0;
    const double bound = excess > 0.0 ? upper : lower;
    if (l2 > 0.0) {
      const double b = excess / l2;
      return std::abs(b) <= std::abs(bound) ? 0.5 * excess * b : bound * (excess - 0.5 * l2 * bound);
    }
    return excess * bound;
  }

  // the largest factor <= 1 that makes factor * z cost nothing in the conjugate
  double costless_scale(double z) const {
    const double excess = soft_threshold(z, l1);
    if (excess == 0.0 || (excess > 0.0 ? upper : lower) == 0.0) return 1.0;
    constexpr double rounded_down = 1.0 - 4e-16;  // rounded up, the product would exceed l1 again
    return rounded_down * (l1 / std::abs(z));
  }

  bool is_free() const { return l1 == 0.0 && l2 == 0.0; }
  bool is_interior(double b) const { return b > lower && b < upper; }
};

}  // namespace normball
