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

// The dual point u, the gradient of the loss at the candidate or another one (M8b), is shrunk by a factor s until the
// dual constraints hold. term_at(i) is the term of the i-th listed feature, conjugate(s) = sum_i w_i f*(s u_i) - s
// sum_i w_i u_i o_i. Two factors are tried, the largest at which the bound is finite and the largest at which no
// coefficient costs anything; the better bound counts. A coefficient without penalty asks for a gradient of exactly 0;
// what rounding leaves of it is charged over the box |b| <= 2 |b_hat| + scale. (M8)
template <class TermAt, class Conjugate>
Certificate certify(const Candidate& candidate, const Measure& measure, const TermAt& term_at,
                    const Conjugate& conjugate) {
  double penalty = 0.0;
  double violation = std::abs(candidate.intercept_gradient);  // over penalty factors
  bool is_stationary = violation <= kkt_tolerance(ElasticNet{}, measure.lambda, measure.negligible_gradient);
  double free_cost =
      std::abs(candidate.intercept_gradient) * (2.0 * std::abs(candidate.intercept) + measure.coefficient);
  double finite = 1.0;
  double costless = 1.0;
  for (Index j = 0; j < candidate.features.count; ++j) {
    const ElasticNet term = term_at(j);
    if (term.l1 == infinity) continue;
    const double b = candidate.coef[j];
    const double g = candidate.gradient[j];
    penalty += term.value(b);
    const double distance = term.violation(g, b);
    violation = std::max(violation, term.is_free() ? distance : distance * measure.lambda / (term.l1 + term.l2));
    is_stationary &= distance <= kkt_tolerance(term, measure.lambda, measure.negligible_gradient);
    if (term.is_free()) {
      free_cost += std::abs(g) * std::min(2.0 * std::abs(b) + measure.coefficient, g > 0.0 ? -term.lower : term.upper);
    } else {
      const double scale = term.costless_scale(-g);
      costless = std::min(costless, scale);
      if (term.conjugate(-g) == infinity) finite = std::min(finite, scale);
    }
  }
  const auto gap_at = [&](double s) {
    double dual_cost = 0.0;
    for (Index j = 0; j < candidate.features.count && dual_cost < infinity; ++j) {
      const ElasticNet term = term_at(j);
      if (term.l1 != infinity && !term.is_free()) dual_cost += term.conjugate(-s * candidate.gradient[j]);
    }
    return candidate.loss + penalty + conjugate(s) + dual_cost + s * free_cost;
  };
  const double gap = costless < finite ? std::min(gap_at(finite), gap_at(costless)) : gap_at(finite);
  return {.gap = std::isnan(gap) ? infinity : std::max(gap, 0.0),
          .kkt_violation = violation,
          .is_stationary = is_stationary};
}

}  // namespace normball
