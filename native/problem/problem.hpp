// One problem of the batch: its weights, its standardisation, and where its solver stands.
#pragma once

#include <algorithm>

#include "design/design.hpp"
#include "problem/certificate.hpp"

namespace normball {

struct Problem {
  const Specification* spec = nullptr;
  const double* y = nullptr;
  double origin = 0.0;  // that was taken from y
  Vector weights;       // normalised to sum 1; empty where the moments are all that is needed of the rows
  Vector shift;         // mean of column j under these weights, less the design's centre
  Vector scale;  // standard deviation (or 1); 0 for a column that is constant under these weights, which stays out
  Vector norm;   // sqrt(sum w x^2) of the standardised column; empty where nobody asks

  Vector coef;             // standardised scale
  Vector gradient;         // of the mean loss, standardised scale
  double intercept = 0.0;  // at the centre of the columns
  double intercept_gradient = 0.0;
  double loss = 0.0;
  double pearson = 0.0;         // Pearson's statistic, sum w f'^2 / f''
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

  bool is_excluded(Index j) const { return scale[j] == 0.0 || spec->penalty_factors[j] == infinity; }

  // lambda = infinity is the null model
  ElasticNet term(Index j, double lambda) const {
    const double factor = spec->penalty_factors[j];
    const bool held_at_zero = is_excluded(j) || (lambda == infinity && factor > 0.0);
    if (held_at_zero) return {.l1 = infinity, .l2 = 0.0, .lower = 0.0, .upper = 0.0};
    const double strength = factor == 0.0 ? 0.0 : lambda * factor;
    return {.l1 = strength * spec->l1_ratio,
            .l2 = strength * (1.0 - spec->l1_ratio),
            .lower = spec->lower_bounds[j] * scale[j],
            .upper = spec->upper_bounds[j] * scale[j]};
  }

  // any model of this family is optimal where the null model has no loss
  bool has_nothing_to_explain() const { return has_no_optimum || null_loss <= negligible_loss; }
  double relative(double gap) const { return has_nothing_to_explain() ? 0.0 : gap / null_loss; }
  bool is_solved(const Certificate& certificate) const {
    return has_nothing_to_explain() || (certificate.gap <= spec->tol * null_loss && certificate.is_stationary);
  }
  // where KKT violations are rounding
  double negligible_gradient() const { return 1e-10 * null_gradient; }

  // gradient of column j from its product with the weighted residuals, whose sum is `total`
  double standardised(Index j, double product, double total) const {
    return scale[j] == 0.0 ? 0.0 : (product - shift[j] * total) / scale[j];
  }

  // A model of this problem as its certificate sees it: the listed features are those that may cost something.
  struct Model {
    Columns features = {};
    const double* coef = nullptr;  // in the order of the list, as is
    const double* gradient =
        nullptr;  // X'u at the dual point: the gradient of the mean loss where that is the residual
    double intercept = 0.0;
    double intercept_gradient = 0.0;
    double loss = 0.0;
    double pearson = 0.0;
    double dual_pearson = 0.0;  // of a dual point other than the residual
  };

  Model model() const {
    return {.features = {.list = nullptr, .count = spec->n_features},
            .coef = coef.data(),
            .gradient = gradient.data(),
            .intercept = intercept,
            .intercept_gradient = intercept_gradient,
            .loss = loss,
            .pearson = pearson};
  }

  template <class Conjugate>
  Certificate certificate(double lambda, const Model& model, const Conjugate& conjugate) const {
    const auto term_at = [&](Index i) { return term(model.features[i], lambda); };
    const Candidate<decltype(term_at)> candidate{.n_features = model.features.count,
                                                 .coef = model.coef,
                                                 .gradient = model.gradient,
                                                 .intercept = model.intercept,
                                                 .intercept_gradient = model.intercept_gradient,
                                                 .loss = model.loss,
                                                 .scale = natural_size(),
                                                 .lambda = lambda,
                                                 .negligible_gradient = negligible_gradient(),
                                                 .term = term_at};
    return certify(candidate, conjugate);
  }

  // With an upper bound of the conjugate from sums alone: at the residual it is exact at s = 1, and near it short by
  // (1 - s)^2 (M8a); at another dual point it is short by its dual_pearson besides (M8b).
  Certificate certificate(double lambda, const Model& model) const {
    double fitted = model.intercept * model.intercept_gradient;  // sum w u (eta - o)
    for (Index i = 0; i < model.features.count; ++i) fitted += model.coef[i] * model.gradient[i];
    return certificate(lambda, model, [&](double s) {
      const double rest = 1.0 - s;
      const double apart = std::sqrt(model.dual_pearson) + rest * std::sqrt(model.pearson);
      const double bent = model.dual_pearson > 0.0 ? apart * apart : rest * rest * model.pearson / (2.0 * s + 1e-300);
      return s * fitted - model.loss + std::min(rest * model.loss + s * model.dual_pearson, bent);
    });
  }

  // The null model is fitted. What there is to explain is judged here, not at eta = offset: an offset, or the unit of
  // an exposure, must not decide it. Squared error judges it by the digits of the response.
  //
  // From its gradient follows the smallest lambda that keeps every penalised coefficient at zero. Ridge has none; its
  // lambda competes with the curvature, so for squared error the unit of the response is divided out. (M10)
  void take_null(bool is_quadratic) {
    null_loss = loss;
    if (!is_quadratic) negligible_loss = 10.0 * noise(loss);
    for (Index j = 0; j < spec->n_features; ++j) {
      const double factor = spec->penalty_factors[j];
      if (!is_excluded(j)) null_gradient = std::max(null_gradient, std::abs(gradient[j]));
      if (is_excluded(j) || factor == 0.0) continue;
      const double bound = gradient[j] < 0.0 ? spec->upper_bounds[j] : spec->lower_bounds[j];
      if (bound != 0.0) largest_gradient = std::max(largest_gradient, std::abs(gradient[j]) / factor);
    }
    lambda_max = largest_gradient / std::max(spec->l1_ratio, 1e-3);
    if (is_quadratic && spec->l1_ratio == 0.0 && largest_gradient > 0.0) lambda_max /= std::sqrt(2.0 * null_loss);
  }

  void write(const double* centre, const Model& model, Point& point) const {
    point.features.clear();
    for (Index i = 0; i < model.features.count; ++i) {
      if (model.coef[i] != 0.0) point.features.push_back(static_cast<std::int32_t>(i));
    }
    std::ranges::sort(point.features, {}, [&](std::int32_t i) { return model.features[i]; });
    point.values.clear();
    point.intercept = model.intercept + origin;
    for (std::int32_t& feature : point.features) {
      const double coefficient = model.coef[feature];
      const Index j = model.features[feature];
      const double value = std::clamp(coefficient / scale[j], spec->lower_bounds[j], spec->upper_bounds[j]);
      point.values.push_back(value);
      point.intercept -= value * (centre[j] + shift[j]);
      feature = static_cast<std::int32_t>(j);
    }
    point.loss = model.loss;
  }
};

// The batch before anything is known of its columns.
inline std::vector<Problem> blank_problems(const Specification& spec) {
  const auto p = static_cast<std::size_t>(spec.n_features);
  std::vector<Problem> problems(static_cast<std::size_t>(spec.n_problems));
  for (std::size_t k = 0; k < problems.size(); ++k) {
    Problem& problem = problems[k];
    problem.spec = &spec;
    problem.y = spec.response(static_cast<Index>(k));
    problem.origin = spec.origin(static_cast<Index>(k));
    problem.coef.assign(p, 0.0);
    problem.gradient.assign(p, 0.0);
    problem.shift.assign(p, 0.0);
    problem.scale.assign(p, 1.0);
    problem.negligible_loss = spec.negligible_loss == nullptr ? 0.0 : spec.negligible_loss[k];
  }
  return problems;
}

// What a read about the common centre says of one problem's columns.
struct Spread {
  Vector variance;
  Vector noise;  // a variance that is rounding: the column is constant
};

// Where a problem's own mean lies so far from the centre, in units of the column's own spread, that the correction
// costs digits (a fold that holds all the spread of a column leaves none to the others), the column is read again about
// it.
template <Design D>
Spread spread_of(const D& design, const Vector& centre, Problem& problem, Threads& threads) {
  const Vector& squares = problem.scale;
  Spread spread{.variance = squares, .noise = squares};
  std::vector<Index> far;
  for (std::size_t j = 0; j < squares.size(); ++j) {
    const double shift = problem.shift[j] * problem.shift[j];
    spread.variance[j] -= shift;
    spread.noise[j] = std::max(1e-12 * squares[j], D::mean_noise * centre[j] * centre[j]);
    if (shift > 100.0 * spread.variance[j]) far.push_back(static_cast<Index>(j));
  }
  if (far.empty()) return spread;
  Vector own = centre;
  for (const Index j : far) own[j] += problem.shift[j];
  D about = design;
  about.centre = own.data();
  const Columns columns{.list = far.data(), .count = std::ssize(far)};
  const double* weights = problem.weights.data();
  Vector rest(far.size());
  Vector square(far.size());
  double* rest_out = rest.data();
  double* square_out = square.data();
  about.sweep({.columns = columns, .n_vectors = 1, .vectors = &weights, .out = &rest_out}, threads);
  about.sweep_squares({.columns = columns, .n_vectors = 1, .vectors = &weights, .out = &square_out}, threads);
  for (std::size_t f = 0; f < far.size(); ++f) {
    const Index j = far[f];
    const double size = std::max(std::abs(centre[j]), std::abs(problem.shift[j]));
    spread.variance[j] = square[f] - rest[f] * rest[f];
    spread.noise[j] = std::max({1e-12 * square[f], D::mean_noise * own[j] * own[j], 1e-28 * size * size});
    problem.shift[j] += rest[f];
  }
  return spread;
}

// Means and standard deviations of every problem in three reads of the design (and of single columns), and norms where
// `wants_norms`; sets `centre`.
template <Design D>
std::vector<Problem> make_problems(D& design, Vector& centre, const Specification& spec, bool wants_norms,
                                   Threads& threads) {
  const auto n = static_cast<std::size_t>(spec.n_rows);
  const auto p = static_cast<std::size_t>(spec.n_features);
  std::vector<Problem> problems = blank_problems(spec);
  std::vector<const double*> weights;
  std::vector<double*> shifts;
  std::vector<double*> scales;
  for (std::size_t k = 0; k < problems.size(); ++k) {
    Problem& problem = problems[k];
    problem.weights.assign(spec.weights + k * n, spec.weights + (k + 1) * n);
    double total = 0.0;
    for (const double w : problem.weights) total += w;
    for (double& w : problem.weights) w /= total;
    weights.push_back(problem.weights.data());
    shifts.push_back(problem.shift.data());
    scales.push_back(problem.scale.data());
  }
  const Columns all{.list = nullptr, .count = spec.n_features};
  centre.assign(p, 0.0);
  design.centre = centre.data();
  const Index count = spec.n_problems;
  const auto sweep_squares = [&] {
    design.sweep_squares({.columns = all, .n_vectors = count, .vectors = weights.data(), .out = scales.data()},
                         threads);
  };
  if (!spec.fit_intercept && !spec.standardize) {
    if (wants_norms) sweep_squares();
    for (Problem& problem : problems) {
      if (wants_norms) {
        for (double& square : problem.scale) square = std::sqrt(square);
        problem.norm.swap(problem.scale);
      }
      problem.scale.assign(p, 1.0);
    }
    return problems;
  }
  Vector mean(p);
  double* mean_out = mean.data();
  design.sweep({.columns = all, .n_vectors = 1, .vectors = weights.data(), .out = &mean_out}, threads);
  centre = mean;
  design.centre = centre.data();
  design.sweep({.columns = all, .n_vectors = count, .vectors = weights.data(), .out = shifts.data()}, threads);
  sweep_squares();
  for (Problem& problem : problems) {
    if (wants_norms) problem.norm.assign(p, 0.0);
    const Spread spread = spread_of(design, centre, problem, threads);
    for (std::size_t j = 0; j < p; ++j) {
      const double variance = spread.variance[j];
      const bool is_constant = variance <= spread.noise[j];
      problem.scale[j] = is_constant ? 0.0 : (spec.standardize ? std::sqrt(variance) : 1.0);
      if (!wants_norms || is_constant) continue;
      const double off_centre = spec.fit_intercept ? 0.0 : centre[j] + problem.shift[j];
      problem.norm[j] = std::sqrt(variance + off_centre * off_centre) / problem.scale[j];
    }
  }
  if (!spec.fit_intercept) {
    std::ranges::fill(centre, 0.0);
    for (Problem& problem : problems) std::ranges::fill(problem.shift, 0.0);
  }
  return problems;
}

}  // namespace normball
