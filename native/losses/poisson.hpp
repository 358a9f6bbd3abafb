#pragma once

#include <algorithm>

#include "losses/loss.hpp"

namespace normball {

// f = e^eta - y eta - (y - y log y), half the Poisson deviance
struct Poisson {
  static constexpr bool quadratic = false;
  static double value(double y, double eta) { return std::exp(eta) - y * eta - (y - x_log_x(y)); }
  static double gradient(double y, double eta) { return std::exp(eta) - y; }
  static double conjugate(double y, double u) {
    const double mu = y + u;
    if (mu < 0.0) return infinity;
    return x_log_x(mu) - mu + (y - x_log_x(y));
  }
  static double constant(double y) { return -(y - x_log_x(y)); }
  static RowSums rows(const Rows& block) { return poisson_rows(block); }
  static DualSums dual(const Rows& block, const double* dual) { return poisson_dual(block, dual); }
  static double link(double mean) { return std::log(mean); }
  static double curvature_at(double mean) { return mean; }
};
static_assert(Loss<Poisson>);

}  // namespace normball
