// A loss is an object made for one problem: it knows that problem's targets and weights, and the solvers ask it for
// sums over rows. Those that are sums over rows of one formula are `SeparableLoss`; the formula is written once, for
// one double and for a vector of them (`Real`). docs/mathematics.md (M2)
#pragma once

#include <cmath>
#include <concepts>

#include "losses/row_loops.hpp"

namespace normball {

// f(y, eta) is half the unit deviance: 0 where the fit is perfect, so that every family is bounded below by 0 and gaps
// can be reported relative to the null loss. For the bounds of (M8a) and (M8b) to hold f must be convex in eta with
// f' f''' <= f''^2, and within what `excess` allows its conjugate must not be further from its tangent than
// (u - f')^2 / f''.
template <class F>
concept Formula = std::default_initializable<F> && requires(const F& f, double x, double& out, Terms<double>& terms) {
  { F::is_quadratic } -> std::convertible_to<bool>;  // f'' is 1 everywhere
  { F::is_location } -> std::convertible_to<bool>;   // f depends on y - eta alone
  // f'' is a concave function of f', so that (M8b) holds wherever f* is finite and not near its tangent only
  { F::has_concave_variance } -> std::convertible_to<bool>;
  { f.terms(x, x, terms) };                       // of y, eta: f less constant(y), f', f''
  { f.constant(x) } -> std::same_as<double>;      // of y: the part of f that depends on it alone
  { f.excess(x, terms, x, out) };                 // of y, its terms, u: > 0 where (M8b) may not be used for u
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
class SeparableLoss {
 public:
  static constexpr bool is_quadratic = F::is_quadratic;
  static constexpr bool is_location = F::is_location;
  static constexpr bool is_piecewise = IsPiecewise<F>;

  SeparableLoss(double parameter, const double* y, const double* weights, Index n_rows)
      : formula_(with_parameter<F>(parameter)), y_(y), weights_(weights), n_rows_(n_rows) {}

  const F& formula() const { return formula_; }

  // what else is wanted than the sums
  struct Wanted {
    double* residual = nullptr;
    double* curvature = nullptr;
    double least_curvature = 0.0;
    bool majorises = false;
  };

  RowSums evaluate(const double* eta, const Wanted& wanted = {}) const { return evaluate(0, n_rows_, eta, wanted); }

  // on the rows [first, first + count), whose eta is given
  RowSums evaluate(Index first, Index count, const double* eta, const Wanted& wanted = {}) const {
    return row_sums(formula_, {.count = count,
                               .y = y_ + first,
                               .weights = weights_ + first,
                               .eta = eta,
                               .residual = wanted.residual,
                               .curvature = wanted.curvature,
                               .least_curvature = wanted.least_curvature,
                               .majorises = wanted.majorises});
  }

  // `dual` holds w_i u_i
  DualSums dual(const double* eta, const double* dual) const {
    DualSums sums = dual_sums(formula_, {.count = n_rows_, .y = y_, .weights = weights_, .eta = eta}, dual);
    if (!F::has_concave_variance) sums.pearson = infinity;  // shrunk, a dual point may leave what its bound is good for
    return sums;
  }

 private:
  F formula_;
  const double* y_;
  const double* weights_;
  Index n_rows_;
};

// What every solver needs of a loss.
template <class L>
concept Loss = requires(const L& loss, const double* eta, const double* u) {
  { L::is_quadratic } -> std::convertible_to<bool>;
  { L::is_piecewise } -> std::convertible_to<bool>;
  { loss.evaluate(eta) } -> std::same_as<RowSums>;
  { loss.dual(eta, u) } -> std::same_as<DualSums>;
};

// A path solver may stream its rows.
template <class L>
concept Separable = Loss<L> && requires(const L& loss, const double* eta) {
  { loss.evaluate(Index{}, Index{}, eta) } -> std::same_as<RowSums>;
};

inline double x_log_x(double x) { return x > 0.0 ? x * std::log(x) : 0.0; }

}  // namespace normball
