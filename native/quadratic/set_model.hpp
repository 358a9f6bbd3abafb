// The quadratic model of one problem on its working set, and its minimiser: by H and an active set where that pays, on
// the columns themselves where H would be the dear part, in the space of the rows where a penalty with an L2 part keeps
// more features than there are rows. The curvature is kept for as long as its steps are cheaper than a new one: along
// lambda it changes slowly.
#pragma once

#include "quadratic/column_solver.hpp"
#include "quadratic/matrix_solver.hpp"
#include "quadratic/row_solver.hpp"
#include "quadratic/set_curvature.hpp"
#include "quadratic/weighted_rows.hpp"

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
  SetModel(const Design& design, const Problem& problem, bool is_quadratic, Threads& threads, Monitor& monitor)
      : design_(design),
        dense_(dynamic_cast<const DenseDesign*>(&design)),
        problem_(problem),
        spec_(*problem.spec),
        is_quadratic_(is_quadratic),
        threads_(threads),
        monitor_(monitor) {}

  bool empty() const { return curvature_.empty(); }
  bool knows_gradient() const { return by_rows_ || curvature_.is_dense(); }  // at the minimiser
  const LossCurvature& rows() const { return curvature_.rows(); }

  void clear() {
    curvature_.clear();
    weighted_.clear();
  }
  // false where what is known of the curvature was changed, and not made anew
  bool renew(LossCurvature rows, const std::vector<Index>& set) {
    rented_ = 0.0;
    weighted_.clear();
    if (!by_rows_ && rows.coupling == nullptr && curvature_.change(design_, problem_, set, rows.diagonal)) return false;
    curvature_.reset(std::move(rows));
    return true;
  }

  // covers all of the set; its first features may be known already
  void cover(const std::vector<Index>& set, const std::vector<ElasticNet>& terms, double n_active) {
    by_rows_ = rows_pay(terms, n_active);
    if (by_rows_) {
      if (weighted_.size() == std::ssize(set)) return;
      return weighted_.make(*dense_, problem_, set, rows().diagonal, curvature_.total());
    }
    curvature_.cover(design_, problem_, set, n_active, n_passes_, threads_);
  }

  // the set's positions were renumbered, negative for those that are gone
  void renumber(const std::vector<Index>& renumbered) {
    weighted_.clear();
    curvature_.keep([&](Index s) { return renumbered[s] >= 0; });
    solver_.renumber([&](Index s) { return renumbered[s]; }, curvature_.version());
  }

  // Whether a new curvature pays, by the rule of renting and buying: once the steps that came on top of a lambda's
  // first have cost as much as a new one. Nanoseconds of an ordinary core.
  bool is_slow(const std::vector<Index>& set, double n_active, double violation, double last) {
    if (by_rows_ || !curvature_.is_dense()) return true;  // two passes, where a step takes many
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
    if (!knows_gradient()) return minimise_on_columns(at, tolerance, b);
    gradient = at.gradient;
    return minimise_centred(at, tolerance, b, gradient);
  }

 private:
  // Whether the features are so many more than the rows that models in the space of the rows cost less than H, of which
  // each L2 part takes a new factor. H serves several steps of a curved loss, and of squared error all that follow: it
  // is made once the others have cost as much.
  bool rows_pay(const std::vector<ElasticNet>& terms, double n_active) {
    if (!trusts_rows_ || dense_ == nullptr || rows().coupling != nullptr) return false;
    if (!std::ranges::all_of(terms, [](const ElasticNet& term) { return term.l2 > 0.0; })) return false;
    const auto n = static_cast<double>(std::ranges::count_if(rows().diagonal, [](double d) { return d > 0.0; }));
    const auto size = static_cast<double>(terms.size());
    if (size < 2.0 * n) return false;
    constexpr double steps = 8.0;
    constexpr double nanoseconds = 6.0;  // of an entry of H, whatever the rows
    const double own = steps * (0.05 * n * n * n_active + SetCurvature::factor_cost(n) + 1.5 * n * size);
    const double matrix = (0.05 * n + nanoseconds) * size * size + SetCurvature::factor_cost(n_active);
    if (!is_quadratic_) return 4.0 * own < matrix;
    spent_by_rows_ += own;
    return spent_by_rows_ < matrix;
  }

  double minimise_centred(const Expansion& at, double tolerance, Vector& b, Vector& gradient) {
    const double total = curvature_.total();
    const auto mean = [&](std::size_t s) {
      const auto place = static_cast<Index>(s);
      return by_rows_ ? weighted_.mean(place) : curvature_.mean(place);
    };
    const Vector before = b;
    double intercept_step = spec_.fit_intercept ? -at.residual_sum / total : 0.0;
    for (std::size_t s = 0; s < b.size(); ++s) gradient[s] += intercept_step * mean(s);
    if (by_rows_) {
      trusts_rows_ = by_rows(at, tolerance, b, gradient);
    } else {
      by_matrix(at, tolerance, b, gradient);
    }
    for (std::size_t s = 0; spec_.fit_intercept && s < b.size(); ++s) {
      intercept_step -= mean(s) * (b[s] - before[s]) / total;
    }
    return intercept_step;
  }

  bool by_rows(const Expansion& at, double tolerance, Vector& b, Vector& gradient) {
    return row_solver_.solve(
        {.size = weighted_.size(), .n_rows = weighted_.count(), .Z = weighted_.entries(), .terms = at.terms.data()},
        b.data(), gradient.data(), tolerance);
  }

  void by_matrix(const Expansion& at, double tolerance, Vector& b, Vector& gradient) {
    solver_.solve({.size = static_cast<Index>(b.size()),
                   .H = curvature_.matrix(),
                   .stride = curvature_.stride(),
                   .terms = at.terms.data(),
                   .version = curvature_.version(),
                   .ridge = problem_.penalty.ridge(at.lambda)},
                  b.data(), gradient.data(), tolerance);
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
  const DenseDesign* dense_;  // null where it is none
  const Problem& problem_;
  const Specification& spec_;
  bool is_quadratic_;  // the loss, whose curvature stays
  Threads& threads_;
  Monitor& monitor_;
  SetCurvature curvature_;
  MatrixSolver solver_;
  WeightedRows weighted_;
  RowSolver row_solver_;
  bool by_rows_ = false;  // the present cover
  double spent_by_rows_ = 0.0;
  bool trusts_rows_ = true;  // until rounding stands in their way
  double rented_ = 0.0;      // what the present curvature has cost in steps
  double n_passes_ = 6.0;    // forth and back over the set, that the last solution without H took
};

}  // namespace normball
