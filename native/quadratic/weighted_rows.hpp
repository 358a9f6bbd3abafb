// The curvature of one problem on its working set by rows: H = Z Z' with the columns of Z the rows of positive weight
// d, about their weighted means and times the root of d. Of few rows and many features Z is the small one.
#pragma once

#include <algorithm>
#include <cmath>

#include "design/dense.hpp"
#include "losses/loss.hpp"
#include "problem/problem.hpp"

namespace normball {

class WeightedRows {
 public:
  Index count() const { return count_; }
  Index size() const { return std::ssize(means_); }
  const double* entries() const { return entries_.data(); }  // size() x count()
  double mean(Index s) const { return means_[s]; }           // sum_i d_i of standardised column s

  void clear() { means_.clear(); }

  void make(const DenseDesign& design, const Problem& problem, const std::vector<Index>& set, const Vector& weights,
            double total) {
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0.0) rows.push_back(static_cast<std::int64_t>(i));
    }
    count_ = std::ssize(rows);
    const std::vector<std::int32_t> columns(set.begin(), set.end());
    entries_.resize(rows.size() * set.size());
    design.take_rows(columns, rows.data(), 0, count_, entries_.data());
    means_.assign(set.size(), 0.0);
    double* z = entries_.data();
    for (const Index i : rows) {
      for (std::size_t s = 0; s < set.size(); ++s, ++z) {
        *z = problem.scaling.product(set[s], *z, 1.0);
        means_[s] += weights[i] * *z;
      }
    }
    const double share = problem.spec->fit_intercept ? 1.0 / total : 0.0;
    z = entries_.data();
    for (const Index i : rows) {
      const double root = std::sqrt(weights[i]);
      for (std::size_t s = 0; s < set.size(); ++s, ++z) *z = root * (*z - share * means_[s]);
    }
  }

 private:
  Index count_ = 0;
  Vector entries_;
  Vector means_;
};

}  // namespace normball
