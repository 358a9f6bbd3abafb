// The values of one problem that a window looks for: what they mean for the columns, and what their penalty asks.
#pragma once

#include "paths/windows/row_pass.hpp"
#include "paths/windows/window_terms.hpp"
#include "problem/problem.hpp"

namespace normball {

class WindowValues {
 public:
  WindowValues() = default;
  virtual ~WindowValues() = default;
  WindowValues(const WindowValues&) = delete;
  WindowValues& operator=(const WindowValues&) = delete;

  virtual const Problem& problem() const = 0;
  virtual Iterate start() const = 0;           // of the null model
  virtual WindowTerms null_terms() const = 0;  // holds at zero whatever has a penalty
  virtual WindowTerms terms(double lambda) const = 0;

  // whether there is one intercept, which is no value but follows from the others
  virtual bool profiles_intercept() const = 0;
  // sum d x of the values about the problem's own means, for a curvature in its own values
  virtual void set_means(const WindowCurvature& own, Vector& out) const = 0;
  // The curvature that problems share, in the values of this one; in `room` where that is another one. Problems of
  // the same `frame` see it alike.
  virtual const WindowCurvature* own(const WindowCurvature* shared, WindowCurvature& room) const = 0;
  virtual const void* frame() const = 0;

  virtual void ask(const Vector& values, double intercept, Evaluation& evaluation) const = 0;
  virtual void read(const Evaluation& evaluation, Iterate& seen) const = 0;  // the gradients

  virtual Certificate certificate(double lambda, const Iterate& at) const = 0;
  virtual void take_null(const Iterate& at) = 0;
  // fills a point, and behind it those of the other outputs
  virtual void write(double lambda, const double* centre, const Iterate& at, Point* points) const = 0;
};

using ValuesOfProblems = std::vector<std::unique_ptr<WindowValues>>;

// What a coefficient is divided by so that all problems can share a curvature: the first one's scale.
inline Vector common_units(const Specification& spec, const std::vector<Problem>& problems) {
  Vector units = problems[0].scaling.scale;
  for (Index j = 0; j < spec.n_features; ++j) {
    for (std::size_t k = 1; k < problems.size() && units[j] == 0.0; ++k) units[j] = problems[k].scaling.scale[j];
    if (units[j] == 0.0) units[j] = 1.0;
  }
  return units;
}

// A coefficient of each column, in units that all problems share.
class SingleValues final : public WindowValues {
 public:
  SingleValues(Problem& problem, const Vector& units) : problem_(problem), units_(units) {}

  const Problem& problem() const override { return problem_; }
  Iterate start() const override {
    Iterate at = iterate_at_zero(std::ssize(units_));
    at.intercept = problem_.null_intercept;
    return at;
  }
  WindowTerms null_terms() const override {
    return in_units([&](Index j) { return problem_.null_term(j); });
  }
  WindowTerms terms(double lambda) const override {
    return in_units([&](Index j) { return problem_.term(j, lambda); });
  }

  bool profiles_intercept() const override { return problem_.spec->fit_intercept; }
  void set_means(const WindowCurvature& own, Vector& out) const override {
    out.assign(units_.size(), 0.0);
    for (std::size_t j = 0; profiles_intercept() && j < units_.size(); ++j) {
      out[j] = own.sums[j] - problem_.scaling.shift[j] / units_[j] * own.total;
    }
  }
  const WindowCurvature* own(const WindowCurvature* shared, WindowCurvature& /*room*/) const override { return shared; }
  const void* frame() const override { return nullptr; }

  void ask(const Vector& values, double intercept, Evaluation& evaluation) const override {
    evaluation.coef.resize(units_.size());
    evaluation.constant = {intercept};
    for (std::size_t j = 0; j < units_.size(); ++j) {
      evaluation.coef[j] = values[j] / units_[j];
      evaluation.constant[0] -= evaluation.coef[j] * problem_.scaling.shift[j];
    }
  }
  void read(const Evaluation& evaluation, Iterate& seen) const override {
    seen.gradient.resize(units_.size());
    for (std::size_t j = 0; j < units_.size(); ++j) {
      const double product = evaluation.product[j] - problem_.scaling.shift[j] * evaluation.sums.residual;
      seen.gradient[j] = problem_.is_excluded(static_cast<Index>(j)) ? 0.0 : product / units_[j];
    }
    seen.intercept_gradient = profiles_intercept() ? evaluation.sums.residual : 0.0;
  }

  Certificate certificate(double lambda, const Iterate& at) const override {
    const Iterate own = standardised(at);
    return problem_.certificate(lambda, Problem::candidate(own));
  }
  void take_null(const Iterate& at) override {
    problem_.take_null(standardised(at), problem_.spec->family->is_location);
  }
  void write(double /*lambda*/, const double* centre, const Iterate& at, Point* points) const override {
    const Iterate own = standardised(at);
    problem_.write(centre, Problem::candidate(own), *points);
  }

 private:
  template <class TermAt>
  WindowTerms in_units(const TermAt& term_at) const {
    std::vector<ElasticNet> list;
    for (std::size_t j = 0; j < units_.size(); ++j) {
      ElasticNet term = term_at(static_cast<Index>(j));
      const double ratio = problem_.scaling.scale[j] / units_[j];
      if (term.l1 != infinity) {
        term.l1 *= ratio;
        term.l2 *= ratio * ratio;
        term.lower /= ratio;
        term.upper /= ratio;
      }
      list.push_back(term);
    }
    return WindowTerms(std::move(list));
  }

  // from common units to those of the problem
  Iterate standardised(Iterate at) const {
    for (std::size_t j = 0; j < units_.size(); ++j) {
      const double ratio = problem_.scaling.scale[j] / units_[j];
      at.coef[j] *= ratio;
      at.gradient[j] = ratio > 0.0 ? at.gradient[j] / ratio : 0.0;
    }
    return at;
  }

  Problem& problem_;
  const Vector& units_;
};

}  // namespace normball
