// Proximal steps on one block of a quadratic: to the minimiser over b of
//   slope'(b - at) + 1/2 (b - at)'H(b - at) + term(b)
#pragma once

#include <algorithm>

#include "core/types.hpp"
#include "penalties/group_term.hpp"

namespace normball {

class BlockStep {
 public:
  // `at` and `slope` go along until the violation, `before` at first, has nearly gone. multiply(x, y) writes H x to y.
  // `bound` on the curvature begins low and grows where a step shows more of it, so that the objective always falls.
  template <class Multiply>
  void take(const GroupTerm& term, double before, const Multiply& multiply, double& bound, Vector& at, Vector& slope) {
    const auto count = std::ssize(at);
    for (Vector* one : {&next_, &change_, &image_}) one->resize(at.size());
    for (int step = 0; step < most_steps;) {
      for (Index i = 0; i < count; ++i) next_[i] = bound * at[i] - slope[i];
      term.prox(next_.data(), bound, next_.data(), count);
      double squares = 0.0;
      for (Index i = 0; i < count; ++i) {
        change_[i] = next_[i] - at[i];
        squares += change_[i] * change_[i];
      }
      if (squares == 0.0) return;
      multiply(change_.data(), image_.data());
      double curvature = 0.0;
      for (Index i = 0; i < count; ++i) curvature += change_[i] * image_[i];
      if (curvature > (1.0 + 1e-12) * bound * squares) {
        bound = 1.2 * curvature / squares;
        continue;
      }
      at.swap(next_);
      for (Index i = 0; i < count; ++i) slope[i] += image_[i];
      ++step;
      if (count == 1 || term.violation(slope.data(), at.data(), count) <= 0.03 * before) return;
    }
  }

  // on the boundary rounding alone would let in a copy of a block that is in already
  static bool is_rounding(const GroupTerm& term, double violation) {
    return violation <= 1e-13 * (term.l1 + term.group);
  }

 private:
  static constexpr int most_steps = 10;

  Vector next_;
  Vector change_;
  Vector image_;
};

}  // namespace normball
