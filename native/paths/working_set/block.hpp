// A block of lambdas that are solved ahead and proved together, and what the proof looks at.
#pragma once

#include <span>

#include "paths/working_set/solution.hpp"
#include "problem/problem.hpp"

namespace normball {

// Consecutive lambdas, and where their points go.
struct Block {
  Index first;
  std::span<const double> lambdas;
  double previous;  // the last lambda solved
  PathResult& result;

  Index size() const { return static_cast<Index>(lambdas.size()); }
  Point& point(Index k, Index i) const {
    return result.points[static_cast<std::size_t>(k) * result.lambdas.size() + static_cast<std::size_t>(first + i)];
  }
};

// A solution as its certificate sees it: the features of the set, and those beyond it that may cost something.
class Listed {
 public:
  Listed(const std::vector<Index>& set, const Solution& solution)
      : solution_(solution),
        features_(set.begin(), set.begin() + std::ssize(solution.gradient)),
        coef_(solution.coef),
        gradient_(solution.gradient),
        dual_gradient_(solution.dual.gradient) {
    for (const auto& violator : solution.violators) {
      features_.push_back(violator.feature);
      gradient_.push_back(violator.gradient);
      dual_gradient_.push_back(violator.dual_gradient);
    }
    coef_.resize(features_.size(), 0.0);
  }

  Candidate by_residual() const {
    return {.features = {.list = features_.data(), .count = std::ssize(features_)},
            .coef = coef_.data(),
            .gradient = gradient_.data(),
            .intercept = solution_.intercept,
            .intercept_gradient = solution_.intercept_gradient,
            .loss = solution_.loss,
            .pearson = solution_.pearson};
  }

  // by the residual, or by the dual point where that proves more
  Certificate certificate(const Problem& problem, double lambda) const {
    Certificate best = problem.certificate(lambda, by_residual());
    if (solution_.dual.exists()) best.gap = std::min(best.gap, problem.certificate(lambda, by_dual_point()).gap);
    return best;
  }

 private:
  Candidate by_dual_point() const {
    Candidate model = by_residual();
    model.gradient = dual_gradient_.data();
    model.intercept_gradient = solution_.dual.intercept_gradient;
    model.pearson = solution_.dual.sums.pearson;
    model.dual_pearson = solution_.dual.sums.dual_pearson;
    return model;
  }

  const Solution& solution_;
  std::vector<Index> features_;
  Vector coef_;
  Vector gradient_;
  Vector dual_gradient_;
};

}  // namespace normball
