// The penalty of one problem at one lambda, as a window sees it.
#pragma once

#include "problem/iterate.hpp"
#include "quadratic/group_solver.hpp"
#include "quadratic/matrix_solver.hpp"

namespace normball {

// Of values by themselves, or of blocks of values that it takes together.
class WindowTerms {
 public:
  using Blocks = std::vector<GroupSolver::Block>;

  explicit WindowTerms(std::vector<ElasticNet> singles) : singles_(std::move(singles)) {}
  explicit WindowTerms(Blocks blocks) : blocks_(std::move(blocks)) {}

  double violation_at(const Iterate& at) const {
    double worst = std::abs(at.intercept_gradient);
    for (std::size_t j = 0; j < singles_.size(); ++j) {
      worst = std::max(worst, singles_[j].violation(at.gradient[j], at.coef[j]));
    }
    for (const auto& [first, count, term] : blocks_) {
      worst = std::max(worst, term.violation(at.gradient.data() + first, at.coef.data() + first, count));
    }
    return worst;
  }

  double value(const Vector& coef) const {
    double sum = 0.0;
    for (std::size_t j = 0; j < singles_.size(); ++j) {
      if (coef[j] != 0.0) sum += singles_[j].value(coef[j]);
    }
    for (const auto& [first, count, term] : blocks_) sum += term.value(coef.data() + first, count);
    return sum;
  }

  // by how much the objective changes along a step, to first order where it is smooth
  double change(const Iterate& at, const Vector& to) const {
    double sum = 0.0;
    for (std::size_t j = 0; j < singles_.size(); ++j) {
      if (to[j] == at.coef[j]) continue;
      sum += (to[j] - at.coef[j]) * at.gradient[j] + singles_[j].value(to[j]) - singles_[j].value(at.coef[j]);
    }
    for (const auto& [first, count, term] : blocks_) {
      for (Index v = first; v < first + count; ++v) sum += (to[v] - at.coef[v]) * at.gradient[v];
      sum += term.value(to.data() + first, count) - term.value(at.coef.data() + first, count);
    }
    return sum;
  }

  // of a quadratic with this matrix; solvers are new ones, for what they remember must not reach another problem
  void minimise(const double* matrix, Vector& coef, Vector& gradient, double tolerance) const {
    const auto size = std::ssize(coef);
    if (blocks_.empty()) {
      MatrixSolver().solve({.size = size, .H = matrix, .stride = size, .terms = singles_.data()}, coef.data(),
                           gradient.data(), tolerance);
    } else {
      GroupSolver().solve({.size = size, .H = matrix, .stride = size, .blocks = &blocks_}, coef.data(), gradient.data(),
                          tolerance);
    }
  }

 private:
  std::vector<ElasticNet> singles_;
  Blocks blocks_;
};

}  // namespace normball
