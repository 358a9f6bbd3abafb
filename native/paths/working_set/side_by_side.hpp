// When the lambdas of a block on sparse columns go side by side, and when they had better be solved one after the
// other.
#pragma once

#include "paths/working_set/eight_lambdas.hpp"
#include "quadratic/set_curvature.hpp"

namespace normball {

class SideBySide {
 public:
  SideBySide(const Design& design, const Specification& spec)
      : design_(!spec.family->is_separable || spec.family->is_piecewise || spec.l1_ratio == 0.0
                    ? nullptr
                    : dynamic_cast<const SparseDesign*>(&design)),
        is_quadratic_(spec.family->is_quadratic) {}

  // Whether products with a copy of the set are cheaper than X'DX and its factor for each of `n_lambdas`, in
  // nanoseconds of an ordinary core. How many products it takes is learned on the way.
  bool pays(const std::vector<Index>& set, const Vector& coef, Index n_lambdas) const {
    if (design_ == nullptr) return false;
    const auto size = static_cast<double>(set.size());
    const auto active = static_cast<double>(std::ranges::count_if(set, [&](Index j) { return coef[j] != 0.0; }));
    const double entries = SetCurvature::n_entries(*design_, set);
    const double gram = size > SetCurvature::largest_dense ? infinity : SetCurvature::gram_cost(*design_, set);
    const double factor = 0.01 * active * active * active + 4.0 * active * size;
    const double dense = static_cast<double>(n_lambdas) * ((is_quadratic_ ? 0.1 : 1.2) * gram + factor);
    return n_products_ * (0.8 * entries + 12.0 * size) + 20.0 * entries + 1e5 < dense;
  }

  // What a block took: of each problem its products and the columns it read.
  struct Effort {
    Index n_products = 0;
    Index columns_read = 0;
  };

  // the lambdas of one problem, from where their solutions stand
  Effort solve(const Problem& problem, const Loss& loss, const std::vector<Index>& set, std::span<LambdaTask> tasks,
               const Solution* last, Monitor& monitor) const {
    Effort effort;
    for (std::size_t first = 0; first < tasks.size(); first += n_side_by_side) {
      EightLambdas eight(*design_, problem, loss, set,
                         tasks.subspan(first, std::min<std::size_t>(n_side_by_side, tasks.size() - first)), monitor);
      eight.solve(last);
      effort.n_products += eight.n_products();
      effort.columns_read += eight.columns_read();
    }
    return effort;
  }

  void learn(const std::vector<Effort>& efforts) {
    for (const Effort& effort : efforts) {
      if (effort.n_products == 0) continue;
      n_products_ += 0.3 * (static_cast<double>(effort.n_products) - n_products_);
      columns_read_ += effort.columns_read;
    }
  }
  Index columns_read() const { return columns_read_; }

 private:
  const SparseDesign* design_;  // null where they cannot
  bool is_quadratic_;
  double n_products_ = 100.0;  // that a block takes
  Index columns_read_ = 0;
};

}  // namespace normball
