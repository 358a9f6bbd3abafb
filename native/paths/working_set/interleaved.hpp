// When the solutions of a sparse batch go side by side, and how they share the places.
#pragma once

#include "paths/working_set/interleaved_newton.hpp"

namespace normball {

class Interleaved {
 public:
  Interleaved(const Design& design, const LossTraits& loss)
      : design_(loss.is_piecewise ? nullptr : dynamic_cast<const SparseDesign*>(&design)),
        is_quadratic_(loss.is_quadratic) {}

  // Whether passes over the columns are cheaper than X'DX and its factor for each of `n_solutions`, in nanoseconds of
  // an ordinary core. How many passes it takes is learned on the way: many where columns depend on each other.
  bool pays(const std::vector<Index>& set, const Vector& coef, Index n_solutions) {
    const auto size = static_cast<double>(set.size());
    if (design_ == nullptr) return false;
    double active = 0.0;
    for (const Index j : set) active += coef[j] != 0.0 ? 1.0 : 0.0;
    const double factor = 0.01 * active * active * active + 4.0 * active * size;
    const double gram = size > SetCurvature::largest_dense ? infinity : SetCurvature::gram_cost(*design_, set);
    const double dense = (is_quadratic_ ? 0.1 : 1.2) * gram + factor;
    const Index groups = (n_solutions + n_interleaved - 1) / n_interleaved;
    const auto n_groups = static_cast<double>(groups);
    const double pass = 2.0 * SetCurvature::n_entries(*design_, set) + 150.0 * size;
    most_passes_ = static_cast<double>(n_solutions) * dense / (n_groups * pass + 1.0);
    // alone, each would start from its neighbour and take half as many passes, at half the price
    const bool is_full = static_cast<double>(n_solutions) > 6.0 * n_groups;
    return is_full && 3.0 * n_passes_ < most_passes_;
  }

  // False where the models were too hard: their solutions stay where they stand.
  bool solve(std::span<InterleavedTask> tasks, Threads& threads, Monitor& monitor) {
    const Index n_groups = (std::ssize(tasks) + n_interleaved - 1) / n_interleaved;
    Vector n_passes(static_cast<std::size_t>(n_groups));
    std::vector<Index> columns_read(n_passes.size());
    std::vector<std::uint8_t> exhausted(n_passes.size());
    const double most_entries = most_passes_ * (1.0 + SetCurvature::n_entries(*design_, *tasks[0].set));
    threads.parallel_for(n_groups, [&](Index g) {
      const auto first = static_cast<std::size_t>(g * n_interleaved);
      InterleavedNewton group(*design_,
                              tasks.subspan(first, std::min<std::size_t>(n_interleaved, tasks.size() - first)),
                              most_entries, monitor);
      group.solve();
      n_passes[g] = group.n_passes();
      columns_read[g] = group.columns_read();
      exhausted[g] = group.is_exhausted() ? 1 : 0;
    });
    n_passes_ *= 0.8;
    for (Index g = 0; g < n_groups; ++g) {
      n_passes_ = std::max(n_passes_, n_passes[g]);
      columns_read_ += columns_read[g];
    }
    const bool is_solved = std::ranges::none_of(exhausted, [](std::uint8_t flag) { return flag != 0; });
    if (!is_solved) most_passes_ = -1.0;  // until it is asked again whether it pays, only where things stand
    return is_solved;
  }

  Index columns_read() const { return columns_read_; }

 private:
  const SparseDesign* design_;  // null where they cannot
  bool is_quadratic_;
  double n_passes_ = 60.0;  // that a group takes; until there is experience
  double most_passes_ = infinity;
  Index columns_read_ = 0;
};

}  // namespace normball
