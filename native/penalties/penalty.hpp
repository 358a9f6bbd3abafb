// What one problem asks of its coefficients: a term for each, from its penalty factors, bounds and mix. (M3)
#pragma once

#include "penalties/elastic_net.hpp"

namespace normball {

class Penalty {
 public:
  Penalty() = default;
  // arrays of one number a feature; bounds are in the units of the data
  Penalty(const double* factors, const double* lower, const double* upper, double l1_ratio)
      : factors_(factors), lower_(lower), upper_(upper), l1_ratio_(l1_ratio) {}

  // `scale`: what the coefficient's unit is worth in units of the data
  ElasticNet term(Index j, double lambda, double scale) const {
    const double strength = factors_[j] == 0.0 ? 0.0 : lambda * factors_[j];
    return {.l1 = strength * l1_ratio_,
            .l2 = strength * (1.0 - l1_ratio_),
            .lower = lower_[j] * scale,
            .upper = upper_[j] * scale};
  }
  // a coefficient that stays at zero
  static ElasticNet zero() { return {.l1 = infinity, .l2 = 0.0, .lower = 0.0, .upper = 0.0}; }

  const double* factors() const { return factors_; }
  double factor(Index j) const { return factors_[j]; }
  bool is_free(Index j) const { return factors_[j] == 0.0; }
  bool excludes(Index j) const { return factors_[j] == infinity; }
  bool is_bounded(Index j) const { return lower_[j] != -infinity || upper_[j] != infinity; }
  double clamp(Index j, double value) const { return std::clamp(value, lower_[j], upper_[j]); }

  // whether it has a kink at zero, so that gradients below a threshold keep coefficients there
  bool selects() const { return l1_ratio_ > 0.0; }
  double threshold(double lambda) const { return lambda * l1_ratio_; }  // over the penalty factor

  double ridge(double lambda) const { return l1_ratio_ == 1.0 ? 0.0 : lambda * (1.0 - l1_ratio_); }

  // what a gradient at zero asks lambda to be, over the penalty factor and before the mix; 0 where a bound or nothing
  // holds the coefficient
  double strength_asked(Index j, double gradient) const {
    return holds(j, gradient) || is_free(j) ? 0.0 : std::abs(gradient) / factors_[j];
  }
  // whether a bound keeps the coefficient at zero
  bool holds(Index j, double gradient) const { return (gradient < 0.0 ? upper_[j] : lower_[j]) == 0.0; }
  double l1_ratio() const { return l1_ratio_; }

 private:
  const double* factors_ = nullptr;
  const double* lower_ = nullptr;
  const double* upper_ = nullptr;
  double l1_ratio_ = 1.0;
};

}  // namespace normball
