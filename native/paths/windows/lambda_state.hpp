// One lambda of one problem while it is open: where it stands, what it tries next, and how that went.
#pragma once

#include <optional>

#include "paths/windows/curvature_path.hpp"
#include "quadratic/step.hpp"

namespace normball {

struct LambdaState {
  enum class Step : std::int8_t {
    newton,      // the model's minimiser
    shorten,     // half of the last step, which did not lower the objective enough
    reevaluate,  // the same point again, for its curvature
  };

  Index problem;
  double lambda;  // without meaning where it is the null model's
  bool is_null = false;
  WindowTerms terms;
  Point* point;    // null for the null model and for strides between distant lambdas
  Index plan = 0;  // place in the plan
  double position = 0.0;

  Iterate at = {};
  Step step = Step::newton;
  Vector goal = {};  // where the whole step leads
  double intercept_step = 0.0;
  double fraction = 1.0;
  double expected = 0.0;  // first-order change of the objective along the whole step

  bool wants_curvature = false;
  bool wants_precision = false;                     // of the curvature, since one of its own did not do
  std::shared_ptr<const WindowCurvature> own = {};  // a curvature of its own, after a step that failed
  bool is_exact = false;                            // `own` belongs to `at`

  std::optional<Secant> secant = {};  // of its last step but the first, which comes from far

  double violation = infinity;
  double contraction = 0.0;  // of the violation in the last step
  double gap = infinity;
  StallRule progress = StallRule(21);
  int n_iter = 0;
  int n_accepted = 0;
  int n_rejected = 0;
  bool gave_up = false;
  bool closed = false;

  Vector trial_coefs() const {
    if (step == Step::reevaluate) return at.coef;
    Vector trial = goal;
    for (std::size_t j = 0; fraction != 1.0 && j < trial.size(); ++j) {
      trial[j] = at.coef[j] + fraction * (goal[j] - at.coef[j]);
    }
    return trial;
  }
  double trial_intercept() const {
    return step == Step::reevaluate ? at.intercept : at.intercept + fraction * intercept_step;
  }

  // A whole step to `goal` comes next; where the model sees none to make that descends, its curvature is put right.
  void aim(double change_of_intercept, const Problem& in) {
    intercept_step = change_of_intercept;
    fraction = 1.0;
    expected = intercept_step * at.intercept_gradient + terms.change(at, goal);
    const bool moves = intercept_step != 0.0 || goal != at.coef;
    if (moves && expected < noise(in)) return;
    gave_up = is_exact;
    ask_for_curvature();
  }

  // Armijo's rule for what the pass saw at the trial point; true where that point is taken
  bool take(Iterate&& seen, const Problem& in) {
    ++n_iter;
    const ArmijoRule rule{.objective = at.loss + terms.value(at.coef), .expected = expected, .noise = noise(in)};
    if (step != Step::reevaluate && !rule.accepts(fraction, seen.loss + terms.value(seen.coef))) {
      reject();
      return false;
    }
    const double last = violation;
    if (step == Step::reevaluate) {
      secant.reset();  // a curvature of its own needs no correction
    } else if (step == Step::newton && n_accepted > 0) {
      learn(seen);
    }
    at = std::move(seen);
    violation = terms.violation_at(at);
    is_exact = step == Step::reevaluate && wants_precision;
    if (step != Step::reevaluate) {
      ++n_accepted;
      contraction = violation / last;
    }
    step = Step::newton;
    return true;
  }

  void note(double relative_gap) {
    gap = relative_gap;
    progress.note(gap);
    if (progress.n_stalled() > 0)
      secant.reset();  // steps so short that the gradient's change is rounding teach nothing
    if (progress.is_stalled()) gave_up = true;
  }

  // how many steps are left with this contraction; 0 where that is not known
  double steps_ahead(double tol) const {
    if (n_accepted < 2 || contraction < 0.01 || wants_curvature) return 0.0;
    return std::log(std::min(std::max(gap / tol, 2.0), 1e6)) / -std::log(std::min(contraction, 0.99));
  }

 private:
  // what rounding leaves of the objective's digits
  double noise(const Problem& in) const { return in.noise(at.loss) + 1e-13 * terms.value(at.coef); }

  void learn(const Iterate& seen) {
    secant = {.step = seen.coef, .change = seen.gradient};
    for (std::size_t j = 0; j < at.coef.size(); ++j) {
      secant->step[j] -= at.coef[j];
      secant->change[j] -= at.gradient[j];
    }
    secant->intercept_step = seen.intercept - at.intercept;
    secant->intercept_change = seen.intercept_gradient - at.intercept_gradient;
  }

  void reject() {
    ++n_rejected;
    if (!is_exact) {
      ask_for_curvature();
      return;
    }
    wants_curvature = false;
    step = Step::shorten;
    fraction *= 0.5;
    if (fraction < shortest_step) gave_up = true;
  }

  void ask_for_curvature() {
    step = Step::reevaluate;
    wants_curvature = true;
    wants_precision = own != nullptr;
  }
};

}  // namespace normball
