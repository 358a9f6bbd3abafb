// The only definition of "solved": the relative duality gap, and beside it the KKT violation. (M6)-(M9)
#pragma once

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

// What a certificate needs to know of one problem at one lambda, on the standardised scale.
template <class TermAt>
struct Candidate {
  Index n_features;
  const double* coef;
  const double* gradient;  // X'u at the dual point u, per feature: of the mean loss where u is the residual
  double intercept = 0.0;
  double intercept_gradient;  // sum of u; 0 without an intercept
  double loss;                // mean loss at the candidate
  double scale;               // the natural size of a free coefficient
  double lambda;
  double negligible_gradient;  // a KKT violation that is rounding
  const TermAt& term;          // term(j) -> ElasticNet
};

// The dual point u, the gradient of the loss at the candidate or another one (M8b), is shrunk by a factor s until the
// dual constraints hold. conjugate(s) = sum_i w_i f*(s u_i) - s sum_i w_i u_i o_i. Two factors are tried, the largest
// at which the bound is finite and the largest at which no coefficient costs anything; the better bound counts. A
// coefficient without penalty asks for a gradient of exactly 0; what rounding leaves of it is charged over the box
// |b| <= 2 |b_hat| + scale. (M8)
template <class TermAt, class Conjugate>
Certificate certify(const Candidate<TermAt>& candidate, const Conjugate& conjugate) {
  double penalty = 0.0;
  double violation = std::abs(candidate.intercept_gradient);  // over penalty factors
  bool is_stationary = violation <= kkt_tolerance(ElasticNet{}, candidate.lambda, candidate.negligible_gradient);
  double free_cost = std::abs(candidate.intercept_gradient) * (2.0 * std::abs(candidate.intercept) + candidate.scale);
  double finite = 1.0;
  double costless = 1.0;
  for (Index j = 0; j < candidate.n_features; ++j) {
    const ElasticNet term = candidate.term(j);
    if (term.l1 == infinity) continue;
    const double b = candidate.coef[j];
    const double g = candidate.gradient[j];
    penalty += term.value(b);
    const double distance = term.violation(g, b);
    violation = std::max(violation, term.is_free() ? distance : distance * candidate.lambda / (term.l1 + term.l2));
    is_stationary &= distance <= kkt_tolerance(term, candidate.lambda, candidate.negligible_gradient);
    if (term.is_free()) {
      free_cost += std::abs(g) * std::min(2.0 * std::abs(b) + candidate.scale, g > 0.0 ? -term.lower : term.upper);
    } else {
      const double scale = term.costless_scale(-g);
      costless = std::min(costless, scale);
      if (term.conjugate(-g) == infinity) finite = std::min(finite, scale);
    }
  }
  const auto gap_at = [&](double s) {
    double dual_cost = 0.0;
    for (Index j = 0; j < candidate.n_features && dual_cost < infinity; ++j) {
      const ElasticNet term = candidate.term(j);
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
