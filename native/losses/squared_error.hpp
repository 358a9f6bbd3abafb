#pragma once

#include "losses/loss.hpp"

namespace normball {

// f = (y - eta)^2 / 2
struct SquaredError {
  static constexpr bool quadratic = true;
  static double value(double y, double eta) { return 0.5 * (y - eta) * (y - eta); }
  static double gradient(double y, double eta) { return eta - y; }
  static double conjugate(double y, double u) { return u * (0.5 * u + y); }
  static double constant(double /*y*/) { return 0.0; }
  static RowSums rows(const Rows& block) { return squared_error_rows(block); }
  static double link(double mean) { return mean; }
  static double curvature_at(double /*mean*/) { return 1.0; }
};
static_assert(Loss<SquaredError>);

}  // namespace normball
