// Where every solver of a curved loss starts: the intercept alone, at the mean of the response.
#pragma once

#include "../losses/loss.hpp"
#include "../problem.hpp"

namespace normball {

template <Loss L>
struct NullStart {
  double intercept = 0.0;  // 0 without one
  double constant = 0.0;   // the part of the loss that does not depend on eta
  double magnitude = 1.0;  // size of the terms that the loss sums

  explicit NullStart(const Problem& problem) {
    const Specification& spec = *problem.spec;
    double mean = 0.0;
    double mean_offset = 0.0;
    for (Index i = 0; i < spec.n_rows; ++i) {
      mean += problem.weights[i] * problem.y[i];
      mean_offset += problem.weights[i] * spec.offset[i];
      constant += problem.weights[i] * L::constant(problem.y[i]);
    }
    if (spec.fit_intercept) intercept = L::link(mean) - mean_offset;
    magnitude = 1.0 + std::abs(mean) * (1.0 + std::abs(L::link(mean)));
  }
};

// The best intercept, by Newton with Armijo's rule.
template <Loss L>
struct NullIntercept {
  double value = 0.0;  // 0 without one
  double loss_at_zero = 0.0;

  NullIntercept(const Problem& problem, const NullStart<L>& start) {
    const Specification& spec = *problem.spec;
    const Index n = spec.n_rows;
    Vector eta(static_cast<std::size_t>(n));
    Vector curvature(eta.size());
    const auto sums_at = [&](double intercept) {
      for (Index i = 0; i < n; ++i) eta[i] = spec.offset[i] + intercept;
      return L::rows({.count = n,
                      .y = problem.y,
                      .weights = problem.weights.data(),
                      .eta = eta.data(),
                      .curvature = curvature.data()});
    };
    loss_at_zero = sums_at(0.0).loss;
    if (!spec.fit_intercept) return;
    value = start.intercept;
    RowSums sums = sums_at(value);
    for (int step = 0; step < 100 && std::abs(sums.residual) > 1e-15 * start.magnitude; ++step) {
      double total = 0.0;
      for (const double d : curvature) total += d;
      double change = -sums.residual / total;
      RowSums next = sums_at(value + change);
      const double noise = 1e-14 * start.magnitude;
      while (!(next.loss <= sums.loss + noise) && std::abs(change) > 1e-12) {
        change *= 0.25;
        next = sums_at(value + change);
      }
      if (!(next.loss <= sums.loss + noise)) break;
      value += change;
      const bool stalled = std::abs(next.residual) >= 0.5 * std::abs(sums.residual) && std::abs(change) < 1e-12;
      sums = next;
      if (stalled) break;
    }
  }
};

}  // namespace normball
