// The loss that is a sum over rows of one formula; the formula is written once, for one double and for a vector of them
// (`Real`). docs/mathematics.md (M2)
#pragma once

#include <cmath>
#include <concepts>

#include "losses/family.hpp"
#include "losses/row_loops.hpp"

namespace normball {

// f(y, eta) is half the unit deviance: 0 where the fit is perfect, so that every family is bounded below by 0 and gaps
// can be reported relative to the null loss. For the bounds of (M8a) and (M8b) to hold f must be convex in eta with
// f' f''' <= f''^2, and at what `nearest` allows its conjugate must not be further from its tangent than
// (u - f')^2 / f''.
template <class F>
concept Formula = std::default_initializable<F> && requires(const F& f, double x, double& out, Terms<double>& terms) {
  { F::is_quadratic } -> std::convertible_to<bool>;  // f'' is 1 everywhere
  { F::is_location } -> std::convertible_to<bool>;   // f depends on y - eta alone
  // f'' is a concave function of f', so that (M8b) holds wherever f* is finite and not near its tangent only
  { F::has_concave_variance } -> std::convertible_to<bool>;
  { f.terms(x, x, terms) };                       // of y, eta: f less constant(y), f', f''
  { f.constant(x) } -> std::same_as<double>;      // of y: the part of f that depends on it alone
  { f.nearest(x, terms, x, out) };                // of y, its terms, u: the nearest u for which (M8b) holds
  { f.link(x) } -> std::same_as<double>;          // eta at which the mean is x
  { f.curvature_at(x) } -> std::same_as<double>;  // f'' there, where y is the mean
  // (of an f'' that is 0 on some pieces: `majorise(terms, out)`, the curvature of a parabola above f)
  // how far the intercept is from its best, exact where the offset is constant: of the mean of y, and the mean of f'
  // and f'' here
  { f.null_step(x, x, x) } -> std::same_as<double>;
};

template <Formula F>
F with_parameter(double parameter) {
  if constexpr (requires { F{parameter}; }) {
    return F{parameter};
  } else {
    return F{};
  }
}

template <Formula F>
class SeparableLoss final : public Loss {
 public:
  static constexpr LossTraits traits{.is_quadratic = F::is_quadratic,
                                     .is_location = F::is_location,
                                     .is_piecewise = IsPiecewise<F>,
                                     .is_separable = true};

  SeparableLoss(double parameter, const double* y, const double* weights, Index n_rows)
      : Loss(traits), formula_(with_parameter<F>(parameter)), y_(y), weights_(weights), n_rows_(n_rows) {}

  RowSums evaluate(const double* eta, const Wanted& wanted) const override { return evaluate(0, n_rows_, eta, wanted); }

  RowSums evaluate(Index first, Index count, const double* eta, const Wanted& wanted) const override {
    return row_sums(formula_, {.count = count,
                               .y = y_ + first,
                               .weights = weights_ + first,
                               .eta = eta,
                               .residual = wanted.residual,
                               .curvature = wanted.curvature,
                               .least_curvature = wanted.least_curvature,
                               .majorises = wanted.majorises});
  }

  DualSums dual(const double* eta, double* dual) const override {
    DualSums sums = dual_sums(formula_, {.count = n_rows_, .y = y_, .weights = weights_, .eta = eta}, dual);
    if (!F::has_concave_variance) sums.pearson = infinity;  // shrunk, a dual point may leave what its bound is good for
    return sums;
  }

  TargetRange targets() const override {
    TargetRange range;
    for (Index i = 0; i < n_rows_; ++i) {
      if (weights_[i] == 0.0) continue;
      range.mean += weights_[i] * y_[i];
      range.smallest = std::min(range.smallest, y_[i]);
      range.largest = std::max(range.largest, y_[i]);
    }
    return range;
  }
  double constant() const override {
    double sum = 0.0;
    for (Index i = 0; i < n_rows_; ++i) sum += weights_[i] == 0.0 ? 0.0 : weights_[i] * formula_.constant(y_[i]);
    return sum;
  }
  double link(double mean) const override { return formula_.link(mean); }
  double curvature_at(double mean) const override { return formula_.curvature_at(mean); }
  double null_step(double mean, double residual, double curvature) const override {
    return formula_.null_step(mean, residual, curvature);
  }

 private:
  F formula_;
  const double* y_;
  const double* weights_;
  Index n_rows_;
};

template <Formula F>
Family family(std::string_view name) noexcept {
  return {name, SeparableLoss<F>::traits,
          [](double parameter, const double* y, const double* weights, Index n_rows) -> std::unique_ptr<const Loss> {
            return std::make_unique<SeparableLoss<F>>(parameter, y, weights, n_rows);
          }};
}

inline double x_log_x(double x) { return x > 0.0 ? x * std::log(x) : 0.0; }

}  // namespace normball
