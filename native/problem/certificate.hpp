// The only definition of "solved": the relative duality gap, and beside it the KKT violation. (M6)-(M9)
#pragma once

#include "design/design.hpp"
#include "penalties/elastic_net.hpp"

namespace normball {

struct Certificate {
  double gap = infinity;            // absolute
  double kkt_violation = infinity;  // largest distance of a negative gradient to its subdifferential, over its factor
  bool is_stationary = false;       // no distance is above `kkt_tolerance`
};

// The gap is relative to the null loss, so at a small lambda it says little about which coefficients are zero; this
// does. `term` knows lambda times the penalty factor, but where that is 0. (M9)
inline double kkt_tolerance(const ElasticNet& term, double lambda, double negligible_gradient) {
  return std::max(1e-3 * (term.is_free() ? lambda : term.l1 + term.l2), negligible_gradient);
}

// A model of one problem as its certificate sees it, on the standardised scale: the listed features are those that may
// cost something.
struct Candidate {
  Columns features = {};
  const double* coef = nullptr;      // in the order of the list, as is
  const double* gradient = nullptr;  // X'u at the dual point u: of the mean loss where u is the residual
  double intercept = 0.0;
  double intercept_gradient = 0.0;  // sum of u; 0 without an intercept
  double loss = 0.0;                // mean loss at the candidate
  double pearson = 0.0;
  double dual_pearson = 0.0;  // of a dual point other than the residual
};

// what counts as large in one problem at one lambda
struct Measure {
  double lambda;
  double coefficient;          // the natural size of a free one
  double negligible_gradient;  // a KKT violation that is rounding
};

// One coefficient as its certificate sees it.
struct SinglePart {
  ElasticNet term;
  double coef;
  double gradient;

  bool is_excluded() const { return term.l1 == infinity; }
  bool is_free() const { return term.is_free(); }
  double strength() const { return term.l1 + term.l2; }  // lambda times the penalty factor
  double tolerance(double lambda, double negligible) const { return kkt_tolerance(term, lambda, negligible); }
  double value() const { return term.value(coef); }
  double distance() const { return term.violation(gradient, coef); }
  double costless_scale() const { return term.costless_scale(-gradient); }
  double conjugate(double s) const { return term.conjugate(-s * gradient); }
  // what a gradient that is not exactly 0 costs over the box |b| <= 2 |b_hat| + size
  double free_cost(double size) const {
    return std::abs(gradient) * std::min(2.0 * std::abs(coef) + size, gradient > 0.0 ? -term.lower : term.upper);
  }
};

// The dual point u, the gradient of the loss at the candidate or another one (M8b), is shrunk by a factor s until the
// dual constraints hold. part_at(i) is the i-th part of the penalty, conjugate(s) = sum_i w_i f*(s u_i) - s sum_i w_i
// u_i o_i. Two factors are tried, the largest at which the bound is finite and the largest at which no coefficient
// costs anything; the better bound counts. A coefficient without penalty asks for a gradient of exactly 0; what
// rounding leaves of it is charged over a box. (M8)
template <class PartAt, class Conjugate>
Certificate certify(Index n_parts, const PartAt& part_at, double loss, const Measure& measure,
                    const Conjugate& conjugate) {
  double penalty = 0.0;
  double violation = 0.0;  // over penalty factors
  bool is_stationary = true;
  double free_cost = 0.0;
  double finite = 1.0;
  double costless = 1.0;
  for (Index i = 0; i < n_parts; ++i) {
    const auto& part = part_at(i);
    if (part.is_excluded()) continue;
    penalty += part.value();
    const double distance = part.distance();
    violation = std::max(violation, part.is_free() ? distance : distance * measure.lambda / part.strength());
    is_stationary &= distance <= part.tolerance(measure.lambda, measure.negligible_gradient);
    if (part.is_free()) {
      free_cost += part.free_cost(measure.coefficient);
    } else {
      const double scale = part.costless_scale();
      costless = std::min(costless, scale);
      if (part.conjugate(1.0) == infinity) finite = std::min(finite, scale);
    }
  }
  const auto gap_at = [&](double s) {
    double dual_cost = 0.0;
    for (Index i = 0; i < n_parts && dual_cost < infinity; ++i) {
      const auto& part = part_at(i);
      if (!part.is_excluded() && !part.is_free()) dual_cost += part.conjugate(s);
    }
    return loss + penalty + conjugate(s) + dual_cost + s * free_cost;
  };
  const double gap = costless < finite ? std::min(gap_at(finite), gap_at(costless)) : gap_at(finite);
  return {.gap = std::isnan(gap) ? infinity : std::max(gap, 0.0),
          .kkt_violation = violation,
          .is_stationary = is_stationary};
}

// The bound of the conjugate from sums alone: at the residual it is exact at s = 1, and near it short by (1 - s)^2
// (M8a); at another dual point it is short by its own Pearson statistic besides (M8b). `fitted`: sum w u (eta - o).
inline double conjugate_bound(double s, double fitted, double loss, double pearson, double dual_pearson) {
  const double rest = 1.0 - s;
  const double apart = std::sqrt(dual_pearson) + rest * std::sqrt(pearson);
  const double curved = dual_pearson > 0.0 ? apart * apart : rest * rest * pearson / (2.0 * s + 1e-300);
  return s * fitted - loss + std::min(rest * loss + s * dual_pearson, curved);
}

}  // namespace normball
