// The quadratic model of one problem on its working set, and its minimiser: by H and an active set where that pays, on
// the columns themselves where H would be the dear part. The curvature is kept for as long as its steps are cheaper
// than a new one: along lambda it changes slowly.
#pragma once

#include "quadratic/column_solver.hpp"
#include "quadratic/matrix_solver.hpp"
#include "quadratic/set_curvature.hpp"

namespace normball {

// Where a model is made: the features, their terms, and the gradient there.
struct Expansion {
  const std::vector<Index>& set;
  const std::vector<ElasticNet>& terms;
  const Vector& gradient;
  double residual_sum;
  double lambda;
};

class SetModel {
 public:
  SetModel(const Design& design, const Problem& problem, Threads& threads, Monitor& monitor)
      : design_(design), problem_(problem), spec_(*problem.spec), threads_(threads), monitor_(monitor) {}

  bool empty() const { return curvature_.empty(); }
  bool is_dense() const { return curvature_.is_dense(); }  // whether H stands there
  const LossCurvature& rows() const { return curvature_.rows(); }

  void clear() { curvature_.clear(); }
  // false where what is known of the curvature was changed, and not made anew
  bool renew(LossCurvature rows, const std::vector<Index>& set) {
    rented_ = 0.0;
    if (rows.coupling == nullptr && curvature_.change(design_, problem_, set, rows.diagonal)) return false;
    curvature_.reset(std::move(rows));
    return true;
  }

  // covers all of the set; its first features may be known already
  void cover(const std::vector<Index>& set, double n_active) {
    curvature_.cover(design_, problem_, set, n_active, n_passes_, threads_);
  }

  // the set's positions were renumbered, negative for those that are gone
  void renumber(const std::vector<Index>& renumbered) {
    curvature_.keep([&](Index s) { return renumbered[s] >= 0; });
    solver_.renumber([&](Index s) { return renumbered[s]; }, curvature_.version());
  }

  // Whether a new curvature pays, by the rule of renting and buying: once the steps that came on top of a lambda's
  // first have cost as much as a new one. Nanoseconds of an ordinary core.
  bool is_slow(const std::vector<Index>& set, double n_active, double violation, double last) {
    if (!curvature_.is_dense()) return true;  // two passes, where a step takes many
    const double step = 2.0 * SetCurvature::pass_cost(design_, set) + 60.0 * static_cast<double>(spec_.n_rows);
    const double anew =
        SetCurvature::gram_cost(design_, set) + curvature_.coupling_cost(set) + SetCurvature::factor_cost(n_active);
    if (last < infinity) rented_ += step;
    // one that is hardly dearer than a step saves one
    return rented_ > anew || anew < 3.0 * step || (last < infinity && violation > 0.5 * last);
  }

  // `b` moves from where the model was made to its minimiser; `gradient` is the model's there with the intercept
  // profiled out, empty where it would have to be read. Returns the intercept's step.
  double minimise(const Expansion& at, double tolerance, Vector& b, Vector& gradient) {
    if (!curvature_.is_dense()) return minimise_on_columns(at, tolerance, b);
    gradient = at.gradient;
    return minimise_by_matrix(at, tolerance, b, gradient);
  }

 private:
  double minimise_by_matrix(const Expansion& at, double tolerance, Vector& b, Vector& gradient) {
    const double total = curvature_.total();
    const auto mean = [&](std::size_t s) { return curvature_.mean(static_cast<Index>(s)); };
    const Vector before = b;
    double intercept_step = spec_.fit_intercept ? -at.residual_sum / total : 0.0;
    for (std::size_t s = 0; s < b.size(); ++s) gradient[s] += intercept_step * mean(s);
    solver_.solve({.size = static_cast<Index>(b.size()),
                   .H = curvature_.matrix(),
                   .stride = curvature_.stride(),
                   .terms = at.terms.data(),
                   .version = curvature_.version(),
                   .ridge = problem_.penalty.ridge(at.lambda)},
                  b.data(), gradient.data(), tolerance);
    for (std::size_t s = 0; spec_.fit_intercept && s < b.size(); ++s) {
      intercept_step -= mean(s) * (b[s] - before[s]) / total;
    }
    return intercept_step;
  }

  double minimise_on_columns(const Expansion& at, double tolerance, Vector& b) {
    const Vector before = b;
    ColumnSolver solver(design_, problem_,
                        {.set = at.set,
                         .terms = at.terms,
                         .rows = curvature_.rows(),
                         .total = curvature_.total(),
                         .gradient = at.gradient,
                         .residual_sum = at.residual_sum,
                         .tolerance = tolerance});
    solver.solve(monitor_, b);
    n_passes_ = static_cast<double>(solver.entries_read()) / (2.0 * SetCurvature::n_entries(design_, at.set) + 1.0);
    if (!spec_.fit_intercept) return 0.0;
    double step = -solver.state_sum() / curvature_.total();
    for (std::size_t s = 0; s < b.size(); ++s) {
      if (b[s] == before[s]) continue;
      const Index j = at.set[s];
      const double centre = design_.stored_centre(j) + problem_.scaling.shift[j];
      step += (b[s] - before[s]) / problem_.scaling.scale[j] * centre;
    }
    return step;
  }

  const Design& design_;
  const Problem& problem_;
  const Specification& spec_;
  Threads& threads_;
  Monitor& monitor_;
  SetCurvature curvature_;
  MatrixSolver solver_;
  double rented_ = 0.0;    // what the present curvature has cost in steps
  double n_passes_ = 6.0;  // forth and back over the set, that the last solution without H took
};

}  // namespace normball
