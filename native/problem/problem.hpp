// One problem of the batch: its rows, its penalty, its standardisation and its null model. It does not change once the
// null model is fitted; where a solver stands is an Iterate.
#pragma once

#include <algorithm>

#include "design/design.hpp"
#include "problem/certificate.hpp"
#include "problem/iterate.hpp"
#include "problem/scaling.hpp"
#include "problem/specification.hpp"

namespace normball {

struct Problem {
  const Specification* spec = nullptr;
  const double* y = nullptr;
  const double* offset = nullptr;
  double origin = 0.0;  // that was taken from y
  Vector weights;       // normalised to sum 1; empty where the moments are all that is needed of the rows
  Penalty penalty;
  Scaling scaling;

  double null_intercept = 0.0;  // of the model with an intercept alone
  double constant = 0.0;        // the part of the loss that does not depend on eta
  double mean_curvature = 1.0;  // f'' at the mean response
  bool has_no_optimum = false;  // all responses are at the end of the mean's range: no intercept is large enough
  double null_loss = 0.0;
  double negligible_loss = 0.0;   // a null model's loss that is rounding: there is nothing to explain
  double largest_gradient = 0.0;  // of the null model, over penalty factors
  double null_gradient = 0.0;     // the largest of the null model
  double lambda_max = 0.0;

  // what rounding may have done to a loss
  double noise(double value) const { return 1e-13 * (std::abs(value - constant) + std::abs(constant)); }
  // the size of a gradient, per standard deviation of a column, of a model with this loss
  double gradient_size(double value) const { return std::sqrt(2.0 * value * mean_curvature); }
  // the size of a coefficient, per standard deviation of a column
  double natural_size() const { return std::sqrt(2.0 * null_loss / mean_curvature); }
  double least_curvature() const { return 1e-9 * mean_curvature; }

  bool is_excluded(Index j) const { return scaling.scale[j] == 0.0 || penalty.excludes(j); }
  bool is_free(Index j) const { return penalty.is_free(j) && !is_excluded(j); }

  ElasticNet term(Index j, double lambda) const {
    return is_excluded(j) ? Penalty::zero() : penalty.term(j, lambda, scaling.scale[j]);
  }
  // the null model holds at zero whatever has a penalty
  ElasticNet null_term(Index j) const { return is_free(j) ? term(j, 0.0) : Penalty::zero(); }

  // any model of this family is optimal where the null model has no loss
  bool has_nothing_to_explain() const { return has_no_optimum || null_loss <= negligible_loss; }
  NullFit null_fit() const {
    if (has_no_optimum) return NullFit::has_no_optimum;
    return has_nothing_to_explain() ? NullFit::leaves_nothing : NullFit::leaves_something;
  }
  double relative(double gap) const { return has_nothing_to_explain() ? 0.0 : gap / null_loss; }
  bool is_solved(const Certificate& certificate) const {
    return has_nothing_to_explain() || (certificate.gap <= spec->tol * null_loss && certificate.is_stationary);
  }
  // where KKT violations are rounding
  double negligible_gradient() const { return 1e-10 * null_gradient; }

  // how far from its subdifferential a gradient may be where a solver stops: what is promised, with a little to spare
  double enough(const ElasticNet& term, double lambda) const {
    return 0.9 * kkt_tolerance(term, lambda, negligible_gradient());
  }

  // the size of gradient that matters at this lambda
  double gradient_unit(double lambda) const {
    if (largest_gradient == 0.0) return 1.0;
    return penalty.selects() && lambda > 0.0 ? std::min(penalty.threshold(lambda), largest_gradient)
                                             : 1e-3 * largest_gradient;
  }

  static Candidate candidate(const Iterate& at) {
    return {.features = {.list = nullptr, .count = std::ssize(at.coef)},
            .coef = at.coef.data(),
            .gradient = at.gradient.data(),
            .intercept = at.intercept,
            .intercept_gradient = at.intercept_gradient,
            .loss = at.loss,
            .pearson = at.pearson};
  }

  Measure measure(double lambda) const {
    return {.lambda = lambda, .coefficient = natural_size(), .negligible_gradient = negligible_gradient()};
  }

  // the intercept comes after the features
  template <class Conjugate>
  Certificate certificate(double lambda, const Candidate& model, const Conjugate& conjugate) const {
    const Index count = model.features.count;
    const auto part_at = [&](Index i) {
      if (i == count) return SinglePart{.term = {}, .coef = model.intercept, .gradient = model.intercept_gradient};
      return SinglePart{.term = term(model.features[i], lambda), .coef = model.coef[i], .gradient = model.gradient[i]};
    };
    return certify(count + 1, part_at, model.loss, measure(lambda), conjugate);
  }

  // with an upper bound of the conjugate from sums alone
  Certificate certificate(double lambda, const Candidate& model) const {
    double fitted = model.intercept * model.intercept_gradient;
    for (Index i = 0; i < model.features.count; ++i) fitted += model.coef[i] * model.gradient[i];
    return certificate(lambda, model, [&](double s) {
      return conjugate_bound(s, fitted, model.loss, model.pearson, model.dual_pearson);
    });
  }

  // What intercepts alone leave of the response of a location family, beside which a null model's loss may be rounding.
  void note_intercepts(double loss) { negligible_loss = std::max(negligible_loss, least_share * loss); }

  // The null model is fitted. What there is to explain is judged here, not at eta = offset: an offset, or the unit of
  // an exposure, must not decide it. A location family judges it by the digits of the response.
  //
  // Where features without a penalty separate the response they have no optimum: their coefficients grow, the curvature
  // vanishes, and steps end where what they leave of the gradient would cost more than any certificate allows. In units
  // of the data nothing tells how far off that is.
  void judge_null(double loss, double free_cost, double reach) {
    null_loss = loss;
    if (spec->family->is_location) return;
    negligible_loss = std::max({negligible_loss, 10.0 * noise(loss), least_share * mean_curvature});
    has_no_optimum =
        has_no_optimum || (spec->standardize && reach > far_off && free_cost > std::max(spec->tol, 1e-6) * loss);
  }

  // From its gradient follows the smallest lambda that keeps every penalised coefficient at zero. Ridge has none; its
  // lambda competes with the curvature, so the unit of the response of a location family is divided out. (M10)
  void take_null(const Iterate& at, bool is_location) {
    null_loss = at.loss;
    const SinglePart intercept{.term = {}, .coef = at.intercept, .gradient = at.intercept_gradient};
    double free_cost = intercept.free_cost(natural_size());
    double reach = 0.0;
    for (Index j = 0; j < spec->n_features; ++j) {
      if (!is_free(j)) continue;
      const SinglePart part{.term = null_term(j), .coef = at.coef[j], .gradient = at.gradient[j]};
      free_cost += part.free_cost(natural_size());
      reach += std::abs(at.coef[j]);
    }
    judge_null(at.loss, free_cost, reach);
    for (Index j = 0; j < spec->n_features; ++j) {
      if (is_excluded(j)) continue;
      null_gradient = std::max(null_gradient, std::abs(at.gradient[j]));
      largest_gradient = std::max(largest_gradient, penalty.strength_asked(j, at.gradient[j]));
    }
    lambda_max = largest_gradient / std::max(penalty.l1_ratio(), 1e-3);
    if (is_location && !penalty.selects() && largest_gradient > 0.0) {
      lambda_max /= std::sqrt(std::max(at.squares, negligible_loss));
    }
  }

  // positions in the list, in the order of the features
  std::vector<std::int32_t> nonzero(const Candidate& model) const {
    std::vector<std::int32_t> found;
    for (Index i = 0; i < model.features.count; ++i) {
      if (model.coef[i] != 0.0) found.push_back(static_cast<std::int32_t>(i));
    }
    if (16 * std::ssize(found) < spec->n_features) {
      std::ranges::sort(found, {}, [&](std::int32_t i) { return model.features[i]; });
      return found;
    }
    std::vector<std::int32_t> place(static_cast<std::size_t>(spec->n_features), -1);
    for (const std::int32_t i : found) place[model.features[i]] = i;
    std::erase(place, -1);
    return place;
  }

  void write(const double* centre, const Candidate& model, Point& point) const {
    point.features = nonzero(model);
    point.values.clear();
    point.intercept = model.intercept + origin;
    for (std::int32_t& feature : point.features) {
      const double coefficient = model.coef[feature];
      const Index j = model.features[feature];
      const double value = penalty.clamp(j, coefficient / scaling.scale[j]);
      point.values.push_back(value);
      if (spec->fit_intercept) point.intercept -= value * (centre[j] + scaling.shift[j]);
      feature = static_cast<std::int32_t>(j);
    }
    point.loss = model.loss;
  }

 private:
  // Of the curvature, or of what intercepts leave: a gradient knows some 1e-16 of a coefficient, and a certificate asks
  // for a millionth of the null loss.
  static constexpr double least_share = 1e-9;
  static constexpr double far_off = 100.0;  // sum of free coefficients, per standard deviation
};

// The batch before anything is known of its columns.
inline std::vector<Problem> blank_problems(const Specification& spec) {
  std::vector<Problem> problems(static_cast<std::size_t>(spec.n_problems));
  for (Index k = 0; k < spec.n_problems; ++k) {
    Problem& problem = problems[k];
    problem.spec = &spec;
    problem.y = spec.responses.of(k);
    problem.offset = spec.offsets.of(k);
    problem.origin = spec.origin(k);
    problem.penalty = spec.penalty_of(k);
    problem.negligible_loss = spec.negligible_loss == nullptr ? 0.0 : spec.negligible_loss[k];
  }
  return problems;
}

// With weights and standardisation; sets `centre`.
inline std::vector<Problem> make_problems(Design& design, Vector& centre, const Specification& spec, bool wants_norms,
                                          Threads& threads) {
  const auto n = static_cast<std::size_t>(spec.n_rows);
  std::vector<Problem> problems = blank_problems(spec);
  std::vector<const double*> weights;
  for (std::size_t k = 0; k < problems.size(); ++k) {
    Problem& problem = problems[k];
    problem.weights.assign(spec.weights + k * n, spec.weights + (k + 1) * n);
    double total = 0.0;
    for (const double w : problem.weights) total += w;
    for (double& w : problem.weights) w /= total;
    weights.push_back(problem.weights.data());
  }
  std::vector<Scaling> scalings =
      scalings_of(design, centre, weights, spec.may_centre(), spec.standardize, wants_norms, threads);
  for (std::size_t k = 0; k < problems.size(); ++k) problems[k].scaling = std::move(scalings[k]);
  return problems;
}

}  // namespace normball
