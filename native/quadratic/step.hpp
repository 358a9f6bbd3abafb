// How far a Newton step may go, and when steps no longer help.
#pragma once

#include <algorithm>

#include "problem/problem.hpp"

namespace normball {

// Armijo's rule on the true objective (Nocedal & Wright 2006, 3.4), along the segment to a model's minimiser.
struct ArmijoRule {
  double objective;  // where the step begins
  double expected;   // first-order change along the whole step, <= 0
  double noise;      // what rounding may have done to the objective

  // a change that drowns in the rounding cannot be judged by it: near the optimum Newton's step is right
  bool is_negligible() const { return -expected <= noise; }

  bool accepts(double fraction, double reached) const {
    return reached <= objective + (is_negligible() ? 10.0 * noise : 1e-4 * fraction * expected);
  }
};

inline constexpr double shortest_step = 1e-10;

// The part of the step that is gone, 0 where none descends. `objective_at(fraction)` is asked where it may matter.
template <class ObjectiveAt>
double backtrack(const ArmijoRule& rule, const ObjectiveAt& objective_at) {
  if (rule.is_negligible()) return 1.0;
  for (double fraction = 1.0; fraction > shortest_step; fraction *= 0.5) {
    if (rule.accepts(fraction, objective_at(fraction))) return fraction;
  }
  return 0.0;
}

// Progress is a fall of the best value by a tenth.
class StallRule {
 public:
  explicit StallRule(int most) : most_(most) {}

  void note(double value) {
    n_stalled_ = value < 0.9 * best_ ? 0 : n_stalled_ + 1;
    best_ = std::min(best_, value);
  }
  int n_stalled() const { return n_stalled_; }
  bool is_stalled() const { return n_stalled_ >= most_; }

 private:
  int most_;
  int n_stalled_ = 0;
  double best_ = infinity;
};

// Where each coefficient has an L2 penalty its violation r counts in the gap by the square, r^2 / (2 l2) (M8): the one
// that `n` of them may have for this gap, within what is promised of KKT violations; 0 where one has none.
inline double violation_worth(double gap, const Problem& problem, double lambda, const std::vector<ElasticNet>& terms,
                              double n) {
  double worth = infinity;
  for (const ElasticNet& term : terms) {
    if (term.l1 == infinity) continue;
    worth = std::min({worth, 0.5 * problem.enough(term, lambda), std::sqrt(2.0 * term.l2 * gap / std::max(n, 1.0))});
  }
  return worth;
}

}  // namespace normball
