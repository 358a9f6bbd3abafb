// The model that every other is measured by, as far as it is known before X is read: the intercept alone.
#pragma once

#include "losses/loss.hpp"
#include "problem/problem.hpp"

namespace normball {

class NullModel {
 public:
  // Fits the intercept, and tells the problem what its losses and gradients are measured by.
  static void fit(const Loss& loss, Problem& problem) {
    NullModel model(loss, problem);
    model.take_response();
    if (problem.spec->fit_intercept) model.fit_intercept();
  }

 private:
  NullModel(const Loss& loss, Problem& problem) : loss_(loss), problem_(problem), spec_(*problem.spec) {}

  static constexpr double most_extreme = 1e-12;  // mean of a response that has no finite intercept

  void take_response() {
    double smallest = infinity;
    double largest = -infinity;
    problem_.constant = loss_.constant();
    for (Index i = 0; i < spec_.n_rows; ++i) {
      const double w = problem_.weights[i];
      if (w == 0.0) continue;
      mean_ += w * problem_.y[i];
      smallest = std::min(smallest, problem_.y[i]);
      largest = std::max(largest, problem_.y[i]);
    }
    problem_.has_no_optimum = smallest == largest && !std::isfinite(loss_.link(largest));
    if (problem_.has_no_optimum) mean_ = std::clamp(mean_, most_extreme, 1.0 - most_extreme);
    problem_.mean_curvature = loss_.curvature_at(mean_);
  }

  // The mean residual, as a function of the intercept, is known where the offset is constant, and flatter elsewhere:
  // the step that is exact there (and always for squared error, Poisson, gamma and Tweedie, as b0 = log(sum w y / sum w
  // e^o)) never goes too far. Near the solution Newton's steps take over. Location families start at their centred
  // targets.
  void fit_intercept() {
    double& intercept = problem_.null_intercept;
    double offset = -infinity;
    for (Index i = 0; i < spec_.n_rows; ++i) {
      if (problem_.weights[i] != 0.0) offset = std::max(offset, problem_.offset[i]);
    }
    if (!loss_.is_location) intercept = loss_.link(mean_) - offset;  // nothing overflows there
    Vector eta(static_cast<std::size_t>(spec_.n_rows));
    Vector curvature(eta.size());
    double response = 0.0;  // where there is no optimum the residual is taken from the mean that stands for it
    for (Index i = 0; i < spec_.n_rows; ++i) response += problem_.weights[i] * problem_.y[i];
    double last = infinity;
    for (int step = 0; step < most_steps; ++step) {
      for (Index i = 0; i < spec_.n_rows; ++i) eta[i] = problem_.offset[i] + intercept;
      const RowSums sums = loss_.evaluate(eta.data(), {.curvature = curvature.data()});
      const double excess = sums.residual + response - mean_;
      double total = 0.0;
      for (const double d : curvature) total += d;
      const bool is_near = std::abs(excess) < 0.1 * total;
      const double change = is_near ? -excess / total : loss_.null_step(mean_, excess, total);
      if (!std::isfinite(change) || (is_near && std::abs(change) >= 0.5 * last)) return;
      intercept += change;
      last = is_near ? std::abs(change) : infinity;
    }
  }

  static constexpr int most_steps = 200;

  const Loss& loss_;
  Problem& problem_;
  const Specification& spec_;
  double mean_ = 0.0;
};

}  // namespace normball
