// Proximal Newton on the working set of one problem (Lee, Sun & Saunders 2014; Yuan, Ho & Lin 2012). For squared error
// the model is exact and one step is enough; for other losses a step is proved by the dual point of its model (M8b).
#pragma once

#include "paths/working_set/solution.hpp"
#include "quadratic/continuation.hpp"
#include "quadratic/set_model.hpp"
#include "quadratic/step.hpp"

namespace normball {

class WorkingSet {
 public:
  WorkingSet(const Design& design, const Loss& loss, const Problem& problem, Threads& threads, Monitor& monitor)
      : design_(design),
        loss_(loss),
        spec_(*problem.spec),
        problem_(problem),
        threads_(threads),
        monitor_(monitor),
        model_(design, problem, loss.is_quadratic, threads, monitor),
        at_(iterate_at_zero(spec_.n_features)),
        position_(static_cast<std::size_t>(spec_.n_features), -1) {}

  const std::vector<Index>& features() const { return set_; }
  Index position(Index j) const { return position_[j]; }  // negative where j is not in the set
  Index entries_read() const { return entries_read_; }
  const Iterate& at() const { return at_; }  // the gradient beyond the set is that of the last sweep
  Vector& gradient() { return at_.gradient; }
  const Vector& residual() const { return residual_; }
  double residual_sum() const { return residual_sum_; }

  // the model without penalised features
  void fit_null() {
    at_.intercept = problem_.null_intercept;
    residual_.resize(static_cast<std::size_t>(spec_.n_rows));
    eta_.assign(problem_.offset, problem_.offset + spec_.n_rows);
    for (double& value : eta_) value += at_.intercept;
    evaluate();
    for (Index j = 0; j < spec_.n_features; ++j) {
      if (problem_.is_free(j)) include(j);
    }
    terms_.clear();
    for (const Index j : set_) terms_.push_back(problem_.null_term(j));
    newton(0.0, {.violation = 1e-12 * problem_.gradient_size(at_.loss)}, 100);
  }

  void include(Index j) {
    if (position_[j] >= 0) return;
    position_[j] = static_cast<std::int32_t>(set_.size());
    set_.push_back(j);
  }

  // The features that `keeps` refuses leave. What is known of the others' curvature stays.
  template <class Keeps>
  void prune(const Keeps& keeps) {
    if (std::ranges::all_of(set_, keeps)) return;
    std::vector<Index> kept;
    std::vector<Index> renumbered(set_.size(), -1);
    for (std::size_t s = 0; s < set_.size(); ++s) {
      position_[set_[s]] = -1;
      if (!keeps(set_[s])) {
        if (!visited_.coef.empty() && visited_.coef[set_[s]] != 0.0) visited_ = {};
        continue;
      }
      renumbered[s] = static_cast<Index>(kept.size());
      position_[set_[s]] = static_cast<std::int32_t>(kept.size());
      kept.push_back(set_[s]);
    }
    model_.renumber(renumbered);
    set_ = std::move(kept);
    has_gradient_ = false;
  }

  // Solutions change almost linearly between two lambdas while signs stay: the last two are continued to the next,
  // where that lowers the objective there. Squared error needs none of it, its step is exact.
  void predict(double lambda, double previous) {
    if (loss_.is_quadratic && model_.knows_gradient()) return;
    Visited earlier{.lambda = previous, .intercept = at_.intercept, .coef = at_.coef, .eta = eta_};
    std::swap(earlier, visited_);
    const double length = continuation(earlier.lambda, previous, lambda);
    if (length == 0.0) return;
    Vector stopped(set_.size(), 0.0);  // what signs and bounds take from the straight line
    double penalty_change = 0.0;
    for (std::size_t s = 0; s < set_.size(); ++s) {
      const Index j = set_[s];
      const double present = at_.coef[j];
      const double step = length * (present - earlier.coef[j]);
      if (step == 0.0) continue;
      const ElasticNet term = problem_.term(j, lambda);
      at_.coef[j] = continued(term, present, step);
      penalty_change += term.value(at_.coef[j]) - term.value(present);
      stopped[s] = at_.coef[j] - present - step;
    }
    Vector raw(set_.size());
    const double moved = problem_.scaling.to_raw(columns(), stopped.data(), raw.data());
    for (std::size_t i = 0; i < eta_.size(); ++i) eta_[i] += length * (eta_[i] - earlier.eta[i]) - moved;
    design_.times(columns(), raw.data(), eta_.data(), threads_);
    if (loss_at(eta_) + penalty_change < at_.loss) {
      at_.intercept += length * (at_.intercept - earlier.intercept);
      evaluate();
    } else {
      at_.coef = visited_.coef;
      eta_ = visited_.eta;
    }
  }

  // Newton steps until the goal is reached or no step helps any more; the number of steps
  int solve(double lambda, const Tolerance& goal, int max_steps) {
    if (problem_.has_nothing_to_explain()) return 0;
    terms_.clear();
    for (const Index j : set_) terms_.push_back(problem_.term(j, lambda));
    return newton(lambda, goal, max_steps);
  }

  void save(Solution& solution) const {
    solution.coef.clear();
    for (const Index j : set_) solution.coef.push_back(at_.coef[j]);
    solution.intercept = at_.intercept;
    solution.intercept_gradient = at_.intercept_gradient;
    solution.loss = at_.loss;
    solution.pearson = at_.pearson;
    solution.residual = residual_;
    solution.residual_sum = residual_sum_;
    solution.dual = dual_;
    solution.on_set.reset();
  }

  // goes on from a saved solution; the set may have grown since
  void restore(const Solution& solution) {
    Vector coef = solution.coef;
    coef.resize(set_.size(), 0.0);
    for (std::size_t s = 0; s < set_.size(); ++s) at_.coef[set_[s]] = coef[s];
    at_.intercept = solution.intercept;
    visited_ = {};
    Vector raw(set_.size());
    const double shift = at_.intercept - problem_.scaling.to_raw(columns(), coef.data(), raw.data());
    for (std::size_t i = 0; i < eta_.size(); ++i) eta_[i] = problem_.offset[i] + shift;
    design_.times(columns(), raw.data(), eta_.data(), threads_);
    evaluate();
    gradient_ = solution.gradient;  // of the sweep; what joined since is still to be read
    set_gradient(static_cast<Index>(gradient_.size()));
  }

 private:
  Columns columns() const { return {.list = set_.data(), .count = static_cast<Index>(set_.size())}; }

  int newton(double lambda, const Tolerance& goal, int max_steps) {
    if (gradient_.size() != set_.size()) has_gradient_ = false;
    dual_.rows.clear();
    double last = infinity;
    StallRule progress(loss_.is_piecewise ? 200 : 20);  // pieces are met one after the other
    majorises_ = false;
    for (int step = 0; step < max_steps; ++step) {
      // its coefficients are right to the root of the gap only, so a tenth of it is asked
      if (goal.gap >= 0.0 && dual_gap(lambda) <= 0.1 * goal.gap && is_stationary(lambda)) return step;
      if (!has_gradient_) set_gradient();
      const double violation = set_violation();
      const bool is_exact = !loss_.is_quadratic || step > 0;  // squared error: one step more, and it is
      if (violation <= goal.violation) return step;
      // ridge, whose gap is the square of the coefficients' error, takes one step more
      if (goal.gap >= 0.0 && is_exact && gap(lambda) <= (problem_.penalty.selects() ? 1.0 : 1e-4) * goal.gap &&
          is_stationary(lambda)) {
        return step;
      }
      if (monitor_.stopped() || progress.is_stalled() || std::isnan(violation)) return step;
      progress.note(violation);
      const bool refreshed = update_model(violation, last);
      if (!newton_step(lambda, goal)) {
        if (refreshed) return step + 1;
        model_.clear();  // the old model no longer descends: once more with the true one
        last = infinity;
        continue;
      }
      last = violation;
    }
    return max_steps;
  }

  // the gap as far as the set can tell; a sweep may find a larger one
  double gap(double lambda) const {
    return gap_of(lambda,
                  {.gradient = gradient_.data(), .intercept_gradient = at_.intercept_gradient, .pearson = at_.pearson});
  }

  // by the dual point of the model that led here
  double dual_gap(double lambda) const {
    if (!dual_.exists()) return infinity;
    return gap_of(lambda, {.gradient = dual_.gradient.data(),
                           .intercept_gradient = dual_.intercept_gradient,
                           .pearson = dual_.sums.pearson,
                           .dual_pearson = dual_.sums.dual_pearson});
  }

  double gap_of(double lambda, Candidate model) const {
    Vector coef;
    for (const Index j : set_) coef.push_back(at_.coef[j]);
    model.features = columns();
    model.coef = coef.data();
    model.intercept = at_.intercept;
    model.loss = at_.loss;
    return problem_.certificate(lambda, model).gap;
  }

  // eta is set: residuals, their sum and the loss follow
  void evaluate() {
    dual_.rows.clear();
    const RowSums sums = loss_.evaluate(eta_.data(), {.residual = residual_.data()});
    has_gradient_ = false;
    residual_sum_ = sums.residual;
    at_.loss = sums.loss + problem_.constant;
    at_.pearson = sums.pearson;
    at_.squares = sums.squares;
    at_.intercept_gradient = spec_.fit_intercept ? residual_sum_ : 0.0;
  }

  double loss_at(const Vector& eta) const { return loss_.evaluate(eta.data()).loss + problem_.constant; }

  // from position `known` on; before it the gradient is that of the present eta already
  void set_gradient(Index known = 0) {
    read_gradient(residual_, residual_sum_, known, gradient_);
    has_gradient_ = true;
  }

  void read_gradient(const Vector& vector, double total, Index known, Vector& gradient) {
    gradient.resize(set_.size());
    const Columns unknown{.list = set_.data() + known, .count = static_cast<Index>(set_.size()) - known};
    const double* in = vector.data();
    double* out = gradient.data() + known;
    design_.sweep({.columns = unknown, .n_vectors = 1, .vectors = &in, .out = &out}, threads_);
    entries_read_ += unknown.count;
    for (auto s = static_cast<std::size_t>(known); s < set_.size(); ++s) {
      gradient[s] = problem_.scaling.product(set_[s], gradient[s], total);
    }
  }

  // Whether the set's KKT violations are as small as is promised. The dual point's gradient is known, and that of the
  // residual differs from it by no more than their distance times the norm of a column.
  bool is_stationary(double lambda) {
    const auto holds = [&](const Vector& gradient, double slack) {
      if (std::abs(at_.intercept_gradient) > problem_.enough({}, lambda)) return false;
      for (std::size_t s = 0; s < set_.size(); ++s) {
        const double apart = slack > 0.0 ? slack * problem_.scaling.norm[set_[s]] : 0.0;
        if (terms_[s].violation(gradient[s], at_.coef[set_[s]]) + apart > problem_.enough(terms_[s], lambda))
          return false;
      }
      return true;
    };
    if (!has_gradient_ && dual_.exists() && holds(dual_.gradient, dual_.distance())) return true;
    if (!has_gradient_) set_gradient();
    return holds(gradient_, 0.0);
  }

  double n_active() const {
    return static_cast<double>(std::ranges::count_if(set_, [&](Index j) { return at_.coef[j] != 0.0; }));
  }

  double set_violation() const {
    double worst = std::abs(at_.intercept_gradient);
    for (std::size_t s = 0; s < set_.size(); ++s) {
      worst = std::max(worst, terms_[s].violation(gradient_[s], at_.coef[set_[s]]));
    }
    return worst;
  }

  // true when the curvature is made anew, of the present eta
  bool update_model(double violation, double last) {
    const bool majorised = !loss_.is_separable && !model_.empty() && model_.rows().coupling == nullptr;
    const bool wanted = model_.empty() || loss_.is_piecewise || majorises_ || majorised ||
                        (!loss_.is_quadratic && model_.is_slow(set_, n_active(), violation, last));
    const bool is_new =
        wanted ? model_.renew(loss_.curve(eta_, problem_.least_curvature(), majorises_), set_) : loss_.is_quadratic;
    model_.cover(set_, terms_, n_active());
    return is_new;
  }

  bool newton_step(double lambda, const Tolerance& goal) {
    Vector before;
    before.reserve(set_.size());
    for (const Index j : set_) before.push_back(at_.coef[j]);
    Vector after = before;
    Vector gradient;  // the model's, where H knows it
    const Expansion here{
        .set = set_, .terms = terms_, .gradient = gradient_, .residual_sum = residual_sum_, .lambda = lambda};
    const double intercept_step = model_.minimise(here, model_tolerance(lambda, goal, before), after, gradient);
    Vector expected = residual_;
    const double length = move(before, after, intercept_step);
    // Newton's step has little to go by where few rows have a curvature: one by the parabolas above comes in between
    const double too_short = loss_.is_separable ? (loss_.is_piecewise ? 1.0 : 0.0) : 0.01;
    majorises_ = length < too_short && !majorises_;
    if (length == 0.0) return majorises_;
    if (loss_.is_quadratic) {
      has_gradient_ = model_.knows_gradient();  // the model is exact
      if (has_gradient_) gradient_.swap(gradient);
    } else if (length == 1.0 && problem_.penalty.selects()) {  // ridge: the residual's own gap is a square already
      model_.rows().add_product(slope_, expected);
      make_dual(goal, expected, gradient);
    }
    return true;
  }

  double model_tolerance(double lambda, const Tolerance& goal, const Vector& coef) const {
    const double violation = set_violation();
    if (loss_.is_quadratic) {
      if (!model_.knows_gradient()) return 1e-5 * violation;
      if (goal.gap < 0.0 || !problem_.penalty.selects()) return 1e-9 * violation;
      const double worth = violation_worth(0.5 * goal.gap, problem_, lambda, terms_, n_active());
      return std::clamp(worth, 1e-9 * violation, 0.1 * violation);
    }
    if (loss_.is_piecewise) return 1e-9 * violation;  // on its piece the model is exact
    if (goal.gap < 0.0) return 0.03 * violation;
    double size = 1e-300;
    for (const double value : coef) size += std::abs(value);
    return std::clamp(0.1 * goal.gap / size, 1e-9 * violation, 0.03 * violation);
  }

  // `expected`: the residual that the model expects here, clipped to the domain of f* (saturated rows leave it)
  void make_dual(const Tolerance& goal, Vector& expected, Vector& gradient) {
    const Coupling* coupling = model_.rows().coupling.get();
    dual_.sums = coupling == nullptr ? loss_.dual(eta_.data(), expected.data())
                                     : coupling->dual(slope_.data(), eta_.data(), expected.data());
    if (!(dual_.sums.dual_pearson <= goal.gap)) return;  // its gap is larger still
    dual_.intercept_gradient = spec_.fit_intercept ? dual_.sums.total : 0.0;
    if (gradient.empty() || dual_.sums.n_clipped > 0.0) read_gradient(expected, dual_.sums.total, 0, gradient);
    dual_.rows.swap(expected);
    dual_.gradient.swap(gradient);
  }

  // Armijo's rule on the true objective, along the segment to the model's minimiser; the part of it that was gone
  double move(const Vector& before, const Vector& after, double intercept_step) {
    const double expected = set_slope(before, after, intercept_step);
    Vector trial(eta_.size());
    const auto coef_at = [&](std::size_t s, double t) {
      return t == 1.0 ? after[s] : before[s] + t * (after[s] - before[s]);
    };
    const auto penalty_at = [&](double t) {
      double penalty = 0.0;
      for (std::size_t s = 0; s < before.size(); ++s) penalty += terms_[s].value(coef_at(s, t));
      return penalty;
    };
    const double penalty = penalty_at(0.0);
    const ArmijoRule rule{
        .objective = at_.loss + penalty, .expected = expected, .noise = problem_.noise(at_.loss) + 1e-13 * penalty};
    const auto go = [&](double t) {
      for (std::size_t i = 0; i < trial.size(); ++i) trial[i] = eta_[i] + t * slope_[i];
    };
    const double gone = loss_.is_quadratic ? 1.0 : backtrack(rule, [&](double t) {
      go(t);
      return loss_at(trial) + penalty_at(t);
    });
    if (gone == 0.0) return 0.0;
    go(gone);
    for (std::size_t s = 0; s < before.size(); ++s) at_.coef[set_[s]] = coef_at(s, gone);
    at_.intercept += gone * intercept_step;
    eta_.swap(trial);
    evaluate();
    return gone;
  }

  // slope_ = d eta along the step; returns the first-order change of the objective
  double set_slope(const Vector& before, const Vector& after, double intercept_step) {
    slope_.assign(eta_.size(), 0.0);
    Vector step(before.size());
    double expected = intercept_step * at_.intercept_gradient;
    for (std::size_t s = 0; s < before.size(); ++s) {
      step[s] = after[s] - before[s];
      if (step[s] == 0.0) continue;
      expected += step[s] * gradient_[s] + terms_[s].value(after[s]) - terms_[s].value(before[s]);
    }
    Vector raw(before.size());
    const double shift = intercept_step - problem_.scaling.to_raw(columns(), step.data(), raw.data());
    design_.times(columns(), raw.data(), slope_.data(), threads_);
    for (double& value : slope_) value += shift;
    return std::min(expected, 0.0);
  }

  const Design& design_;
  const Loss& loss_;
  const Specification& spec_;
  const Problem& problem_;
  Threads& threads_;
  Monitor& monitor_;
  SetModel model_;
  Iterate at_;
  Vector eta_;
  Vector residual_;
  double residual_sum_ = 0.0;
  std::vector<Index> set_;
  std::vector<std::int32_t> position_;
  std::vector<ElasticNet> terms_;  // of the set
  Vector gradient_;                // of the set
  bool has_gradient_ = false;      // that of the present eta
  DualPoint dual_;                 // of the step to the present eta
  Vector slope_;                   // of eta along that step
  Visited visited_;                // the solution before the present one
  Index entries_read_ = 0;
  bool majorises_ = false;  // whether the next model is made of parabolas above the loss
};

}  // namespace normball
