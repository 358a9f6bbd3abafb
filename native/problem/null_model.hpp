// The model that every other is measured by, as far as it is known before X is read: the intercept alone.
#pragma once

#include "losses/outputs_loss.hpp"
#include "problem/problem.hpp"

namespace normball {

// What a problem's rows say of its target; rows without weight have no part in it.
struct Response {
  double mean = 0.0;
  double smallest = infinity;
  double largest = -infinity;
  double constant = 0.0;  // the part of the loss that depends on the target alone
  double largest_offset = -infinity;
};

class NullModel {
 public:
  // Tells the problem what its losses and gradients are measured by, and begins with the intercept.
  NullModel(const Loss& loss, Problem& problem, const Response& response)
      : loss_(loss), problem_(problem), response_(response.mean), mean_(response.mean) {
    problem.constant = response.constant;
    problem.has_no_optimum = response.smallest == response.largest && !std::isfinite(loss.link(response.largest));
    if (problem.has_no_optimum) mean_ = std::clamp(mean_, most_extreme, 1.0 - most_extreme);
    problem.mean_curvature = loss.curvature_at(mean_);
    is_done_ = !problem.spec->fit_intercept;
    if (is_done_ || loss.is_location) return;  // location families start at their centred targets
    problem.null_intercept = loss.link(mean_) - response.largest_offset;  // nothing overflows there
  }

  static void fit(const Loss& loss, Problem& problem) {
    NullModel model(loss, problem, response_of(loss, problem));
    const Index n = model.is_done() ? 0 : problem.spec->n_rows;
    Vector eta(static_cast<std::size_t>(n));
    Vector curvature(eta.size());
    while (!model.is_done()) {
      for (Index i = 0; i < n; ++i) eta[i] = problem.offset[i] + problem.null_intercept;
      const RowSums sums = loss.evaluate(eta.data(), {.curvature = curvature.data()});
      double total = 0.0;
      for (const double d : curvature) total += d;
      model.step(sums.residual, total, loss.is_piecewise ? majorant(loss, eta, curvature) : total);
    }
    if (!loss.is_location) return;
    eta.assign(problem.offset, problem.offset + problem.spec->n_rows);
    problem.note_intercepts(loss.evaluate(eta.data()).loss);
  }

  // the sum of the curvatures of parabolas above the loss
  static double majorant(const Loss& loss, const Vector& eta, Vector& room) {
    loss.evaluate(eta.data(), {.curvature = room.data(), .majorises = true});
    double total = 0.0;
    for (const double d : room) total += d;
    return total;
  }

  bool is_done() const { return is_done_; }
  double last_step() const { return last_; }

  // One step, by the sums of f' and f'' at the intercept, and of the curvatures of parabolas above f where f'' jumps.
  // The mean residual, as a function of the intercept, is known where the offset is constant, and flatter elsewhere:
  // the step that is exact there (and always for squared error, Poisson, gamma and Tweedie, as b0 = log(sum w y / sum w
  // e^o)) never goes too far. Near the solution Newton's steps take over.
  void step(double residual, double curvature, double majorant) {
    // where there is no optimum the residual is taken from the mean that stands for it
    const double excess = residual + response_ - mean_;
    const bool is_near = loss_.is_piecewise ? 2.0 * curvature > majorant : std::abs(excess) < 0.1 * curvature;
    const double change = is_near ? -excess / curvature : loss_.null_step(mean_, excess, majorant);
    const bool helps = std::isfinite(change) && !(is_near && std::abs(change) >= 0.5 * last_);
    is_done_ = !helps || ++n_steps_ == most_steps;
    if (!helps) return;
    problem_.null_intercept += change;
    last_ = is_near ? std::abs(change) : infinity;
  }

 private:
  static Response response_of(const Loss& loss, const Problem& problem) {
    const TargetRange targets = loss.targets();
    Response response{
        .mean = targets.mean, .smallest = targets.smallest, .largest = targets.largest, .constant = loss.constant()};
    for (Index i = 0; i < problem.spec->n_rows; ++i) {
      if (problem.weights[i] != 0.0) response.largest_offset = std::max(response.largest_offset, problem.offset[i]);
    }
    return response;
  }

  static constexpr double most_extreme = 1e-12;  // mean of a response that has no finite intercept
  static constexpr int most_steps = 200;

  const Loss& loss_;
  Problem& problem_;
  double response_;
  double mean_;
  double last_ = infinity;  // the size of the last step near the solution
  int n_steps_ = 0;
  bool is_done_ = false;
};

// Of several outputs: intercepts near which it is, at which nothing overflows.
inline Vector null_start(const OutputsLoss& loss, const Vector& means, const Vector& largest_offsets) {
  Vector start = loss.link(means);
  double mean = 0.0;
  for (std::size_t k = 0; k < start.size(); ++k) {
    start[k] -= largest_offsets[k];
    mean += start[k] / static_cast<double>(start.size());
  }
  for (double& one : start) one -= loss.traits.is_shift_invariant ? mean : 0.0;
  return start;
}

}  // namespace normball
