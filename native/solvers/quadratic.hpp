// minimise over b:  gradient'(b - b0) + 1/2 (b - b0)'H(b - b0) + sum_j term_j(b_j)
//
// Coordinate descent finds which coordinates are zero or at a bound; one Newton step on the others then
// lands on the exact solution (an active-set method: Osborne, Presnell & Turlach 2000). Coordinate descent
// alone crawls where columns correlate, and that end of the path decides the time.
#pragma once

#include "../blas.hpp"
#include "../kernels.hpp"
#include "../penalties/elastic_net.hpp"

namespace normball {

class QuadraticSolver {
 public:
  struct Problem {
    Index size;
    const double* H;  // symmetric, both triangles, column-major
    Index stride;
    const ElasticNet* terms;
    Index version = 0;  // of H: a factor is used again while H and the active set stay the same
  };

  // b and gradient are updated in place; returns the largest KKT violation that is left
  double solve(const Problem& problem, double* b, double* gradient, double tolerance, int max_rounds = 500) {
    double best = infinity;
    int stalled = 0;
    for (int round = 0; round < max_rounds; ++round) {
      // passes worth about one factorisation: whichever of the two would have done, the cost is at most double
      const bool has_factor = !factored_.empty() && factored_version_ == problem.version;
      const int n_passes = has_factor ? 2 : std::max(2, static_cast<int>(active_.size() / 100));
      descend(problem, b, gradient, tolerance, n_passes);
      if (violation(problem, b, gradient) <= tolerance) break;
      newton_steps(problem, b, gradient);
      const double left = violation(problem, b, gradient);
      if (left <= tolerance) return left;
      stalled = left < 0.9 * best ? 0 : stalled + 1;
      best = std::min(best, left);
      if (stalled == 20) return left;
    }
    return violation(problem, b, gradient);
  }

 private:
  static double violation(const Problem& problem, const double* b, const double* gradient) {
    double worst = 0.0;
    for (Index j = 0; j < problem.size; ++j) worst = std::max(worst, problem.terms[j].violation(gradient[j], b[j]));
    return worst;
  }

  static void descend(const Problem& problem, double* b, double* gradient, double tolerance, int n_passes) {
    for (int pass = 0; pass < n_passes; ++pass) {
      double worst = 0.0;
      for (Index j = 0; j < problem.size; ++j) {
        const ElasticNet& term = problem.terms[j];
        const double* column = problem.H + j * problem.stride;
        const double curvature = column[j];
        if (curvature + term.l2 <= 0.0) continue;
        // on the boundary rounding alone would let in a copy of a column that is in already
        if (b[j] == 0.0 && std::abs(gradient[j]) <= (1.0 + 1e-13) * term.l1) continue;
        const double step = term.prox(curvature * b[j] - gradient[j], curvature) - b[j];
        if (step == 0.0) continue;
        worst = std::max(worst, term.violation(gradient[j], b[j]));
        b[j] += step;
        kernels::axpy(step, column, 0.0, gradient, problem.size);
      }
      if (worst <= 0.5 * tolerance) return;
    }
  }

  // Newton on the coordinates that are neither zero nor at a bound, with their signs held, until a whole step fits.
  // A step that hits a zero or a bound takes that coordinate out, so this ends; where the block is singular (more
  // coordinates than rows) it is how the surplus leaves.
  void newton_steps(const Problem& problem, double* b, double* gradient) {
    for (std::size_t n_left = std::max<std::size_t>(4, 20'000 / (active_.size() + 1)); n_left > 0; --n_left) {
      active_.clear();
      for (Index j = 0; j < problem.size; ++j) {
        const ElasticNet& term = problem.terms[j];
        const bool moves = b[j] != 0.0 || (term.l1 == 0.0 && problem.H[j * problem.stride + j] + term.l2 > 0.0);
        if (moves && term.is_interior(b[j])) active_.push_back(j);
      }
      if (active_.empty() || !direction(problem, b, gradient)) return;
      const bool whole = fits(problem, b);
      if (!try_step(problem, b, gradient, false) && !try_step(problem, b, gradient, true)) return;
      if (whole) return;
    }
  }

  bool fits(const Problem& problem, const double* b) const {
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const Index j = active_[c];
      if (problem.terms[j].reachable(b[j], direction_[c]) != b[j] + direction_[c]) return false;
    }
    return true;
  }

  bool direction(const Problem& problem, const double* b, const double* gradient) {
    if (!factorise(problem)) return false;
    const auto size = static_cast<Index>(active_.size());
    direction_.resize(active_.size());
    for (Index c = 0; c < size; ++c) {
      const Index j = active_[c];
      const ElasticNet& term = problem.terms[j];
      const auto sign = static_cast<double>((b[j] > 0.0) - (b[j] < 0.0));
      direction_[c] = -(gradient[j] + term.l2 * b[j] + term.l1 * sign);
    }
    linalg::cholesky_solve(size, factor_.data(), size, direction_.data());
    return true;
  }

  // Cholesky factor of the active block. A singular block (copies of a column, more columns than rows) gets a ridge
  // too small to matter.
  bool factorise(const Problem& problem) {
    const auto size = static_cast<Index>(active_.size());
    Vector ridge(active_.size());
    double largest = 0.0;
    for (Index c = 0; c < size; ++c) {
      const Index j = active_[c];
      ridge[c] = problem.terms[j].l2;
      largest = std::max(largest, problem.H[j * problem.stride + j] + ridge[c]);
    }
    if (factored_version_ == problem.version && factored_ == active_ && factored_ridge_ == ridge) return true;
    factored_.clear();
    factor_.resize(active_.size() * active_.size());
    for (double jitter = 0.0; jitter <= 1e-4; jitter = jitter == 0.0 ? 1e-12 : 100.0 * jitter) {
      for (Index c = 0; c < size; ++c) {
        const double* column = problem.H + active_[c] * problem.stride;
        for (Index r = 0; r <= c; ++r) factor_[c * size + r] = column[active_[r]];
        factor_[c * size + c] += ridge[c] + jitter * largest;
      }
      if (!linalg::cholesky(size, factor_.data(), size) || singular(size, largest)) continue;
      factored_ = active_;
      factored_ridge_ = std::move(ridge);
      factored_version_ = problem.version;
      return true;
    }
    return false;
  }

  bool singular(Index size, double largest) const {
    for (Index c = 0; c < size; ++c) {
      const double pivot = factor_[c * size + c];
      if (pivot * pivot <= 1e-13 * largest) return true;
    }
    return false;
  }

  // The whole step with coordinates that would change sign (or leave the box) set to 0 (or the bound); where
  // that does not lower the objective, the step up to the first such coordinate, which always does.
  bool try_step(const Problem& problem, double* b, double* gradient, bool truncate) {
    double t = 1.0;
    std::size_t hit = active_.size();
    if (truncate) {
      for (std::size_t c = 0; c < active_.size(); ++c) {
        const double target = problem.terms[active_[c]].reachable(b[active_[c]], direction_[c]);
        const double part = (target - b[active_[c]]) / direction_[c];
        if (target != b[active_[c]] + direction_[c] && part < t) {
          t = part;
          hit = c;
        }
      }
    }
    moved_.resize(active_.size());
    step_gradient_.assign(static_cast<std::size_t>(problem.size), 0.0);
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const Index j = active_[c];
      const bool whole = !truncate || c == hit;
      const double target = whole ? problem.terms[j].reachable(b[j], direction_[c]) : b[j] + t * direction_[c];
      moved_[c] = target - b[j];
      kernels::axpy(moved_[c], problem.H + j * problem.stride, 0.0, step_gradient_.data(), problem.size);
    }
    double change = 0.0;
    double size = 0.0;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const Index j = active_[c];
      const ElasticNet& term = problem.terms[j];
      const double smooth = moved_[c] * (gradient[j] + 0.5 * step_gradient_[j]);
      const double penalty = term.value(b[j] + moved_[c]) - term.value(b[j]);
      change += smooth + penalty;
      size += std::abs(smooth) + std::abs(penalty);
    }
    if (!(change <= 1e-12 * size)) return false;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const double target = b[active_[c]] + moved_[c];
      const bool lands_on_zero = b[active_[c]] != 0.0 && std::abs(target) <= 1e-15 * std::abs(b[active_[c]]);
      b[active_[c]] = lands_on_zero ? 0.0 : target;
    }
    for (Index i = 0; i < problem.size; ++i) gradient[i] += step_gradient_[i];
    return true;
  }

  std::vector<Index> active_;
  Vector direction_;
  Vector factor_;
  std::vector<Index> factored_;  // what factor_ belongs to
  Vector factored_ridge_;
  Index factored_version_ = -1;
  Vector moved_;
  Vector step_gradient_;
};

}  // namespace normball
