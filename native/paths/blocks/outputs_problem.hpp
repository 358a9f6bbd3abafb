// One problem of several outputs, or of groups: its targets output by output, its loss and its null model.
#pragma once

#include <numeric>

#include "core/threads.hpp"
#include "losses/single_output.hpp"
#include "problem/null_model.hpp"

namespace normball {

struct OutputsProblem {
  Problem problem;
  Vector targets;  // n_rows x n_outputs, column-major, as the next one; of one output as they came
  Vector offset;
  Vector origins;  // that were taken from the targets
  std::unique_ptr<const OutputsLoss> loss;
  Vector null_intercepts;  // of the model with intercepts alone, but for the offset

  // `standardised`: with weights and scaling
  OutputsProblem(const Specification& spec, Problem standardised)
      : problem(std::move(standardised)), origins(static_cast<std::size_t>(spec.n_outputs), 0.0) {
    targets = spec.n_outputs == 1 ? Vector(problem.y, problem.y + spec.n_rows * spec.target_width())
                                  : by_output(problem.y, spec);
    offset = by_output(problem.offset, spec);
    if (spec.n_outputs > 1 && spec.family->is_location) centre_targets(spec);
    make_loss(spec);
  }

  // of rows that are known by their sums alone, with scaling; others stand in for them
  OutputsProblem(Problem standardised, Index n_outputs)
      : problem(std::move(standardised)), origins(static_cast<std::size_t>(n_outputs), 0.0), null_intercepts(origins) {}

  // Other rows, whose targets are there already, take the place of all; without an intercept, and with a loss that no
  // coefficient changes.
  void stand_in(const Specification& rows, double rest) {
    problem.spec = &rows;
    problem.weights.assign(static_cast<std::size_t>(rows.n_rows), 1.0 / static_cast<double>(rows.n_rows));
    offset.assign(targets.size(), 0.0);
    const Vector taken = origins;
    make_loss(rows);
    origins = taken;
    problem.constant += rest;
  }

 private:
  void make_loss(const Specification& spec) {
    problem.y = targets.data();
    problem.offset = offset.data();
    if (spec.n_outputs == 1) {
      auto rows = spec.family->loss(spec.family_parameter, problem.y, problem.weights.data(), spec.n_rows);
      NullModel::fit(*rows, problem);
      null_intercepts = {problem.null_intercept};
      origins[0] = problem.origin;
      loss = std::make_unique<SingleOutput>(std::move(rows), spec.n_rows, problem.least_curvature());
      return;
    }
    loss = spec.family->outputs_loss(spec.n_outputs, problem.y, problem.weights.data(), spec.n_rows);
    const Vector means = target_means(spec);
    problem.constant = loss->constant();
    problem.mean_curvature = loss->curvature_at(means);
    null_intercepts = spec.fit_intercept ? loss->link(means) : Vector(means.size(), 0.0);
  }

  static Vector by_output(const double* rows, const Specification& spec) {
    Vector found(static_cast<std::size_t>(spec.n_rows * spec.n_outputs));
    for (Index i = 0; i < spec.n_rows; ++i) {
      for (Index k = 0; k < spec.n_outputs; ++k) found[k * spec.n_rows + i] = *rows++;
    }
    return found;
  }

  Vector target_means(const Specification& spec) const {
    Vector means;
    for (Index k = 0; k < spec.n_outputs; ++k) {
      const double* y = targets.data() + k * spec.n_rows;
      means.push_back(std::inner_product(y, y + spec.n_rows, problem.weights.data(), 0.0));
    }
    return means;
  }

  // as CentredTargets, for each output
  void centre_targets(const Specification& spec) {
    constexpr double digits = 1e-13;
    double left = 0.0;
    for (std::size_t at = 0; at < targets.size(); ++at) targets[at] -= std::exchange(offset[at], 0.0);
    if (spec.fit_intercept) origins = target_means(spec);
    for (Index k = 0; k < spec.n_outputs; ++k) {
      for (Index i = 0; i < spec.n_rows; ++i) {
        double& target = targets[k * spec.n_rows + i];
        const double least = digits * target;
        problem.negligible_loss += 0.5 * problem.weights[i] * least * least;
        target -= origins[k];
        left += 0.5 * problem.weights[i] * target * target;
      }
    }
    problem.note_intercepts(left);
  }
};

}  // namespace normball
