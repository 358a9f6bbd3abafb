// minimise over b:  gradient'(b - b0) + 1/2 |Z'(b - b0)|^2 + sum_j term_j(b_j),  each term with an L2 part
//
// in as many unknowns as Z has columns: at the minimiser u = Z'(b - b0) each b_j is the minimiser of its own term and
// (gradient + Z u)_j b_j. So u is where a convex function of piecewise quadratic form has no gradient, and Newton's
// method on the pieces gets there in a few steps (Li, Sun & Toh 2018). However many features are active, a step costs
// the factor of a matrix over the rows. (M51)
#pragma once

#include <numeric>

#include "core/blas.hpp"
#include "penalties/elastic_net.hpp"
#include "quadratic/step.hpp"

namespace normball {

class RowSolver {
 public:
  struct Quadratic {
    Index size;
    Index n_rows;
    const double* Z;  // size x n_rows, column-major
    const ElasticNet* terms;
  };

  // b and gradient are updated in place; false where rounding leaves a KKT violation above the tolerance
  bool solve(const Quadratic& problem, double* b, double* gradient, double tolerance) {
    constexpr int most_steps = 60;
    const Vector start(gradient, gradient + problem.size);
    const Vector before(b, b + problem.size);
    Vector u(static_cast<std::size_t>(problem.n_rows), 0.0);
    Vector moved(u.size());  // Z'(b - b0)
    Vector slope(start.size());
    reach_ = start;  // gradient + Z u
    StallRule progress(15);
    for (int step = 0;; ++step) {
      for (Index j = 0; j < problem.size; ++j) {
        b[j] = problem.terms[j].prox(-reach_[j], 0.0);
        slope[j] = b[j] - before[j];
      }
      linalg::gemv(true, problem.size, problem.n_rows, problem.Z, problem.size, slope.data(), moved.data());
      Vector left(u);
      for (std::size_t i = 0; i < u.size(); ++i) left[i] -= moved[i];
      linalg::gemv(false, problem.size, problem.n_rows, problem.Z, problem.size, left.data(), slope.data());
      double worst = 0.0;  // b is optimal where the gradient is `reach_`, and it is less by `slope`
      for (Index j = 0; j < problem.size; ++j) {
        gradient[j] = reach_[j] - slope[j];
        worst = std::max(worst, problem.terms[j].violation(gradient[j], b[j]));
      }
      if (worst <= tolerance) return true;
      progress.note(worst);
      if (progress.is_stalled() || step == most_steps || !advance(problem, before, left, u)) return false;
    }
  }

 private:
  // Newton's step from u, where the gradient is `left`, or part of it; false where none descends
  bool advance(const Quadratic& problem, const Vector& before, const Vector& left, Vector& u) {
    const Index n = problem.n_rows;
    std::vector<Index> active;
    Vector inverse;  // of the roots of their L2 parts
    double here = 0.0;
    for (Index j = 0; j < problem.size; ++j) {
      const ElasticNet& term = problem.terms[j];
      const double b = term.prox(-reach_[j], 0.0);
      if (b == 0.0) continue;
      here += term.conjugate(-reach_[j]);
      if (!term.is_interior(b)) continue;
      active.push_back(j);
      inverse.push_back(1.0 / std::sqrt(term.l2));
    }
    const auto count = std::ssize(active);
    scaled_.resize(static_cast<std::size_t>(count * n));
    for (Index i = 0; i < n; ++i) {
      const double* row = problem.Z + i * problem.size;
      for (Index a = 0; a < count; ++a) scaled_[i * count + a] = row[active[a]] * inverse[a];
    }
    bend_.assign(static_cast<std::size_t>(n * n), 0.0);
    if (count > 0) linalg::add_at_a(n, count, 1.0, scaled_.data(), count, bend_.data(), n);
    for (Index i = 0; i < n; ++i) bend_[i * (n + 1)] += 1.0;
    Vector direction(left);
    for (double& value : direction) value = -value;
    if (!linalg::cholesky(n, bend_.data(), n)) return false;
    linalg::cholesky_solve(n, bend_.data(), n, direction.data());
    Vector change(reach_.size());
    linalg::gemv(false, problem.size, n, problem.Z, problem.size, direction.data(), change.data());
    const double along = std::inner_product(change.begin(), change.end(), before.begin(), 0.0);
    const auto gained = [&](double fraction) {  // of the function of u
      double sum = fraction * along - here;
      for (Index i = 0; i < n; ++i) sum += fraction * direction[i] * (u[i] + 0.5 * fraction * direction[i]);
      for (Index j = 0; j < problem.size; ++j) sum += problem.terms[j].conjugate(-reach_[j] - fraction * change[j]);
      return sum;
    };
    const double scale = here + std::inner_product(u.begin(), u.end(), u.begin(), 1e-300);
    const ArmijoRule rule{.objective = 0.0,
                          .expected = std::inner_product(left.begin(), left.end(), direction.begin(), 0.0),
                          .noise = 1e-13 * scale};
    const double fraction = backtrack(rule, gained);
    for (Index i = 0; i < n; ++i) u[i] += fraction * direction[i];
    for (Index j = 0; j < problem.size; ++j) reach_[j] += fraction * change[j];
    return fraction > 0.0;
  }

  Vector reach_;
  Vector scaled_;  // the active columns over the roots of their L2 parts
  Vector bend_;
};

}  // namespace normball
