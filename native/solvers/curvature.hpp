// The curvature of one problem on its working set: H = X'DX with the intercept profiled out, D fixed at some eta.
#pragma once

#include "../problem.hpp"

namespace normball {

class Curvature {
 public:
  // beyond this many columns a dense H costs more than it saves; coordinate descent then works on the columns
  static constexpr Index largest_dense = 4096;

  bool empty() const { return weights_.empty(); }
  bool is_dense() const { return dense_; }
  const double* matrix() const { return matrix_.data(); }
  Index stride() const { return stride_; }
  const Vector& weights() const { return weights_; }
  Index version() const { return version_; }  // changes whenever entries do; not when columns join
  double total() const { return total_; }
  double mean(Index s) const { return means_[s]; }  // sum_i d_i of standardised column s

  void clear() { reset({}); }

  void reset(Vector weights) {
    weights_ = std::move(weights);
    total_ = 0.0;
    for (const double d : weights_) total_ += d;
    known_ = 0;
    ++version_;
    means_.clear();
  }

  // makes H cover all of `set`, whose first columns it may know already
  template <Design D>
  void cover(const D& design, const Problem& problem, const std::vector<Index>& set, Threads& threads) {
    const auto size = static_cast<Index>(set.size());
    dense_ = size <= largest_dense;
    if (!dense_) {
      known_ = 0;
      matrix_ = Vector();
      stride_ = 0;
      return;
    }
    if (size == known_) return;
    reserve(size);
    for (Index b = known_; b < size; ++b) std::fill_n(matrix_.begin() + b * stride_, b + 1, 0.0);
    Vector sums(set.size(), 0.0);
    design.add_gram({.columns = {.list = set.data(), .count = size},
                     .first_new = known_,
                     .d = weights_.data(),
                     .out = matrix_.data(),
                     .stride = stride_,
                     .sums = sums.data()},
                    threads);
    const bool profile = problem.spec->fit_intercept;
    means_.resize(set.size());
    for (Index b = known_; b < size; ++b) {
      means_[b] = problem.standardised(set[b], sums[b], total_);
      for (Index a = 0; a <= b; ++a) {
        double& entry = matrix_[b * stride_ + a];
        if (profile) entry -= sums[a] * sums[b] / total_;
        entry /= problem.scale[set[a]] * problem.scale[set[b]];
        matrix_[a * stride_ + b] = entry;
      }
    }
    known_ = size;
  }

  // drops the columns whose position `keeps` refuses
  template <class Keeps>
  void keep(const Keeps& keeps) {
    std::vector<Index> kept;
    for (Index s = 0; s < known_; ++s) {
      if (keeps(s)) kept.push_back(s);
    }
    for (std::size_t b = 0; b < kept.size(); ++b) {
      means_[b] = means_[kept[b]];
      for (std::size_t a = 0; a < kept.size(); ++a) {
        matrix_[static_cast<Index>(b) * stride_ + static_cast<Index>(a)] = matrix_[kept[b] * stride_ + kept[a]];
      }
    }
    known_ = static_cast<Index>(kept.size());
    ++version_;
    means_.resize(kept.size());
  }

 private:
  void reserve(Index size) {
    if (size <= stride_) return;
    const Index wider = std::min(largest_dense, std::max(size, stride_ + stride_ / 2 + 16));
    Vector matrix(static_cast<std::size_t>(wider * wider));
    for (Index b = 0; b < known_; ++b) {
      std::copy_n(matrix_.begin() + b * stride_, known_, matrix.begin() + b * wider);
    }
    matrix_ = std::move(matrix);
    stride_ = wider;
  }

  Vector weights_;
  double total_ = 0.0;
  Vector matrix_;
  Index stride_ = 0;
  Index known_ = 0;
  Index version_ = 0;
  bool dense_ = true;
  Vector means_;
};

}  // namespace normball
