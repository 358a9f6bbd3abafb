// minimise over b:  gradient'(b - b0) + 1/2 (b - b0)'H(b - b0) + sum_j term_j(b_j)
//
// An active-set method (Osborne, Presnell & Turlach 2000): with the signs of the active coordinates held, one linear
// solve lands on the exact minimiser; a coordinate that meets zero or a bound on the way leaves, one whose gradient
// exceeds its threshold enters. Where many would change at once, passes of coordinate descent sort them out first;
// alone it would crawl where columns correlate, and that end of the path decides the time.
#pragma once

#include "kernels/kernels.hpp"
#include "penalties/elastic_net.hpp"
#include "quadratic/active_factor.hpp"

namespace normball {

class MatrixSolver {
 public:
  struct Quadratic {
    Index size;
    const double* H;  // symmetric, both triangles, column-major
    Index stride;
    const ElasticNet* terms;
    Index version = 0;   // of H's entries: while it stays the same the factor is used again, and columns may join
    double ridge = 0.0;  // every l2 is proportional to it
  };

  // b and gradient are updated in place, until no KKT violation exceeds the tolerance or none gets smaller any more
  void solve(const Quadratic& problem, double* b, double* gradient, double tolerance) {
    constexpr int max_rounds = 500;
    const double ratio = ridge_ratio(problem);
    if (factored_version_ != problem.version || ratio < 1.0 || ratio > most_stale) factor_.clear();
    factored_version_ = problem.version;
    tolerance_ = tolerance;
    double best = infinity;
    int stalled = 0;
    bool one_by_one = false;
    for (int round = 0;; ++round) {
      double left = find_entering(problem, b, gradient, tolerance);
      if (left <= tolerance || round == max_rounds || stalled == 30) return;
      stalled = left < 0.9 * best ? 0 : stalled + 1;
      best = std::min(best, left);
      if (entering_.size() > 20 + static_cast<std::size_t>(factor_.size()) / 4 || stalled % 10 == 9) {
        descend(problem, b, gradient, tolerance, 3);
        if (stalled > 0) factor_.clear();
        left = find_entering(problem, b, gradient, tolerance);
        if (left <= tolerance) return;
      }
      if (one_by_one && entering_.size() > 1) {
        std::ranges::nth_element(entering_, entering_.begin(), std::greater<>(),
                                 [&](Index j) { return problem.terms[j].violation(gradient[j], b[j]); });
        entering_.resize(1);
      }
      set_active(problem, b);
      one_by_one = !walk(problem, b, gradient);
    }
  }

  // the coordinates were renumbered: position(j) is the new number of j, negative if it is gone
  template <class Position>
  void renumber(const Position& position, Index version) {
    if (std::ranges::any_of(factor_.order(), [&](Index j) { return position(j) < 0; })) factor_.clear();
    factor_.rename(position);
    factored_version_ = version;
  }

 private:
  // a factor with up to this much more ridge gives conjugate gradients half a digit a step or more
  static constexpr double most_stale = 4.0;

  // of the factor's ridge to the present one
  double ridge_ratio(const Quadratic& problem) const {
    return factored_ridge_ == problem.ridge ? 1.0 : factored_ridge_ / problem.ridge;
  }

  // neither at a kink nor at a bound
  static bool is_active(const Quadratic& problem, Index j, double b) {
    const ElasticNet& term = problem.terms[j];
    const bool moves = b != 0.0 || (term.l1 == 0.0 && problem.H[j * problem.stride + j] + term.l2 > 0.0);
    return moves && term.is_interior(b);
  }

  // the largest violation; the coordinates that rest at a kink or a bound and should not are listed
  double find_entering(const Quadratic& problem, const double* b, const double* gradient, double tolerance) {
    double worst = 0.0;
    double worst_active = 0.0;
    entering_.clear();
    for (Index j = 0; j < problem.size; ++j) {
      const ElasticNet& term = problem.terms[j];
      const double violation = term.violation(gradient[j], b[j]);
      worst = std::max(worst, violation);
      if (is_active(problem, j, b[j])) {
        worst_active = std::max(worst_active, violation);
        continue;
      }
      // rounding alone would let in a copy of a column that is in already
      if (violation <= 0.5 * tolerance || violation <= 1e-13 * term.l1) continue;
      if (problem.H[j * problem.stride + j] + term.l2 > 0.0) entering_.push_back(j);
    }
    // after a change of lambda nearly all gradients exceed their threshold, until the active coordinates have moved
    if (worst_active > std::max(tolerance, 1e-3 * worst)) entering_.clear();
    return worst;
  }

  static void descend(const Quadratic& problem, double* b, double* gradient, double tolerance, int n_passes) {
    for (int pass = 0; pass < n_passes; ++pass) {
      double worst = 0.0;
      for (Index j = 0; j < problem.size; ++j) {
        const ElasticNet& term = problem.terms[j];
        const double* column = problem.H + j * problem.stride;
        const double curvature = column[j];
        if (curvature + term.l2 <= 0.0) continue;
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

  // the factor of exactly the active coordinates and those that enter
  void set_active(const Quadratic& problem, const double* b) {
    wanted_.assign(static_cast<std::size_t>(problem.size), 0);
    for (Index j = 0; j < problem.size; ++j) wanted_[j] = is_active(problem, j, b[j]) ? 1 : 0;
    for (const Index j : entering_) wanted_[j] = 1;
    if (factor_.size() == 0) factored_ridge_ = problem.ridge;
    const double ratio = ridge_ratio(problem);
    const auto entry = [&](Index a, Index c) {
      return problem.H[c * problem.stride + a] + (a == c ? ratio * problem.terms[a].l2 : 0.0);
    };
    const auto is_stale = [&](Index c) {
      const Index j = factor_.order()[c];
      return j >= problem.size || wanted_[j] == 0 || factor_.diagonal()[c] != entry(j, j);
    };
    Index n_stale = 0;
    for (Index c = 0; c < factor_.size(); ++c) n_stale += is_stale(c) ? 1 : 0;
    if (6 * n_stale > factor_.size()) {
      factor_.clear();
      return set_active(problem, b);
    }
    for (Index c = factor_.size() - 1; c >= 0; --c) {
      if (is_stale(c)) factor_.remove(c);
    }
    for (const Index j : factor_.order()) wanted_[j] = 0;
    joining_.clear();
    for (Index j = 0; j < problem.size; ++j) {
      if (wanted_[j] != 0) joining_.push_back(j);
    }
    factor_.append(joining_, entry, [&](Index j) { return problem.terms[j].l1 > 0.0; });
  }

  // From kink to kink towards the minimiser of the active coordinates with their signs held, until a whole step fits.
  // The gradient of the active ones shrinks in proportion, so the others need theirs only at the end. False where
  // nothing could move.
  bool walk(const Quadratic& problem, double* b, double* gradient) {
    touched_ = factor_.order();
    before_.clear();
    signs_.clear();
    slopes_.clear();
    for (const Index j : touched_) {
      const ElasticNet& term = problem.terms[j];
      const double sign = b[j] != 0.0 ? std::copysign(1.0, b[j]) : std::copysign(1.0, -gradient[j]);
      before_.push_back(b[j]);
      signs_.push_back(sign);
      slopes_.push_back(gradient[j] + term.l2 * b[j] + term.l1 * sign);
    }
    while (factor_.size() > 0) {
      set_direction(problem);
      const double t = step_length(problem, b);
      for (std::size_t c = 0; t > 0.0 && c < slopes_.size(); ++c) {
        b[factor_.order()[c]] += t * direction_[c];
        slopes_[c] = (1.0 - t) * slopes_[c] - t * left_[c];
      }
      if (t == 1.0 && blocking_.empty()) break;
      for (std::size_t s = blocking_.size(); s-- > 0;) {
        const auto [c, target] = blocking_[s];
        b[factor_.order()[c]] = target;
        factor_.remove(c);
        signs_.erase(signs_.begin() + c);
        slopes_.erase(slopes_.begin() + c);
      }
    }
    return update_gradient(problem, b, gradient);
  }

  // The step to the minimiser of the active coordinates, and the slopes that are left there with the other sign. A
  // factor R'R = H + L of an earlier lambda, whose ridge L was larger by a small factor, is the preconditioner of
  // conjugate gradients on H + l = R'R - (L - l): the image of the search under R'R follows by recurrence, so that a
  // step takes one solution with R'R and no product.
  void set_direction(const Quadratic& problem) {
    left_.resize(slopes_.size());
    std::ranges::transform(slopes_, left_.begin(), [](double slope) { return -slope; });
    const double surplus = ridge_ratio(problem) - 1.0;
    if (surplus == 0.0) {
      direction_ = left_;
      factor_.solve(direction_.data());
      std::ranges::fill(left_, 0.0);
      return;
    }
    const std::size_t size = slopes_.size();
    direction_.assign(size, 0.0);
    Vector search(size, 0.0);
    Vector image(size, 0.0);  // under R'R
    Vector solution;
    double last = 0.0;
    const double enough = std::max(0.3 * tolerance_, 1e-14 * largest(left_));
    for (int step = 0; step < 100 && largest(left_) > enough; ++step) {
      solution = left_;
      factor_.solve(solution.data());
      double now = 0.0;
      for (std::size_t c = 0; c < size; ++c) now += left_[c] * solution[c];
      const double keep = step == 0 ? 0.0 : now / last;
      last = now;
      double curvature = 0.0;
      for (std::size_t c = 0; c < size; ++c) {
        search[c] = solution[c] + keep * search[c];
        image[c] = left_[c] + keep * image[c];
        solution[c] = image[c] - surplus * problem.terms[factor_.order()[c]].l2 * search[c];
        curvature += search[c] * solution[c];
      }
      if (!(curvature > 0.0)) return;  // rounding is all that is left
      const double length = now / curvature;
      for (std::size_t c = 0; c < size; ++c) {
        direction_[c] += length * search[c];
        left_[c] -= length * solution[c];
      }
    }
  }

  static double largest(const Vector& values) {
    double most = 0.0;
    for (const double value : values) most = std::max(most, std::abs(value));
    return most;
  }

  // Up to the first kink or bound on the way; `blocking_` lists who meets it there. An entering coordinate that would
  // go the wrong way stops at once.
  double step_length(const Quadratic& problem, const double* b) {
    double t = 1.0;
    blocking_.clear();
    for (Index c = 0; c < factor_.size(); ++c) {
      const Index j = factor_.order()[c];
      const ElasticNet& term = problem.terms[j];
      double lower = term.lower;
      double upper = term.upper;
      if (term.l1 > 0.0) (signs_[c] > 0.0 ? lower : upper) = 0.0;
      const double d = direction_[c];
      const double target = d > 0.0 ? upper : lower;
      if (d == 0.0 || (target - b[j]) / d > t) continue;
      const double fraction = std::max(0.0, (target - b[j]) / d);
      if (fraction == 1.0 && b[j] + d != target) continue;
      if (fraction < t) blocking_.clear();
      t = fraction;
      blocking_.emplace_back(c, target);
    }
    return t;
  }

  bool update_gradient(const Quadratic& problem, const double* b, double* gradient) {
    double steps[4];
    const double* columns[4];
    Index count = 0;
    bool moved = false;
    const auto flush = [&] {
      for (; count > 0 && count < 4; ++count) {
        steps[count] = 0.0;
        columns[count] = columns[0];
      }
      if (count > 0) kernels::axpy4(steps, columns, gradient, problem.size);
      count = 0;
    };
    for (std::size_t c = 0; c < touched_.size(); ++c) {
      const double step = b[touched_[c]] - before_[c];
      if (step == 0.0) continue;
      moved = true;
      steps[count] = step;
      columns[count++] = problem.H + touched_[c] * problem.stride;
      if (count == 4) flush();
    }
    flush();
    return moved;
  }

  ActiveFactor factor_;
  Index factored_version_ = -1;
  double factored_ridge_ = 1.0;
  double tolerance_ = 0.0;
  std::vector<Index> entering_;
  std::vector<std::uint8_t> wanted_;
  std::vector<Index> joining_;
  // of one walk: all coordinates that it may move, and where they were; then, in the factor's order
  std::vector<Index> touched_;
  Vector before_;
  Vector signs_;
  Vector slopes_;
  Vector direction_;
  Vector left_;
  std::vector<std::pair<Index, double>> blocking_;
};

}  // namespace normball
