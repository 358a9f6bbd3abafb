#pragma once

#include <algorithm>

#include "losses/loss.hpp"

namespace normball {

// f = log(1 + e^eta) - y eta, less its minimum over eta (0 for labels, the entropy of y for proportions)
struct Logistic {
  static constexpr bool quadratic = false;
  static double value(double y, double eta) {
    return std::log1p(std::exp(-std::abs(eta))) + (std::max(eta, 0.0) - y * eta) + negentropy(y);
  }
  // (1 - y) sigma(eta) - y sigma(-eta): no cancellation where the fit is nearly perfect
  static double gradient(double y, double eta) { return (1.0 - y) * sigmoid(eta) - y * sigmoid(-eta); }
  static double conjugate(double y, double u) {
    const double p = y + u;
    const double q = (1.0 - y) - u;
    if (p < 0.0 || q < 0.0) return infinity;
    return x_log_x(p) + x_log_x(q) - negentropy(y);
  }
  static double constant(double y) { return negentropy(y); }
  static RowSums rows(const Rows& block) { return logistic_rows(block); }
  static DualSums dual(const Rows& block, const double* dual) { return logistic_dual(block, dual); }
  static double link(double mean) { return std::log(mean / (1.0 - mean)); }
  static double curvature_at(double mean) { return mean * (1.0 - mean); }

 private:
  static double sigmoid(double x) {
    const double e = std::exp(-std::abs(x));
    return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
  }
  static double negentropy(double y) {
    return y == 0.0 || y == 1.0 ? 0.0 : x_log_x(y) + (1.0 - y) * std::log1p(-y);  // y may be 1e-12
  }
};
static_assert(Loss<Logistic>);

}  // namespace normball
