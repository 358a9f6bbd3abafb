// X b + b0 for many points of a path at once, on chosen rows, without a copy of X.
#pragma once

#include "design/design.hpp"

namespace normball {

struct SparseCoefficients {
  const double* intercepts;
  const std::int64_t* indptr;  // one row a point
  const std::int32_t* indices;
  const double* values;
  Index n_points;
};

// eta (n_chosen x n_points, row-major); rows == nullptr means all rows in order
template <class D>
Vector predict(D design, const std::int64_t* rows, Index n_chosen, const SparseCoefficients& coefs) {
  const Vector zero_centre(static_cast<std::size_t>(design.n_cols), 0.0);
  design.centre = zero_centre.data();
  const Index n_points = coefs.n_points;
  std::vector<std::vector<std::pair<Index, double>>> by_feature(static_cast<std::size_t>(design.n_cols));
  for (Index l = 0; l < n_points; ++l) {
    for (std::int64_t e = coefs.indptr[l]; e < coefs.indptr[l + 1]; ++e) {
      by_feature[coefs.indices[e]].emplace_back(l, coefs.values[e]);
    }
  }
  std::vector<std::vector<Index>> places;  // a row may be asked for more than once
  if (rows != nullptr) {
    places.resize(static_cast<std::size_t>(design.n_rows));
    for (Index i = 0; i < n_chosen; ++i) places[rows[i]].push_back(i);
  }
  Vector eta(static_cast<std::size_t>(n_chosen * n_points));
  for (Index i = 0; i < n_chosen; ++i) std::copy_n(coefs.intercepts, n_points, eta.begin() + i * n_points);
  for (Index j = 0; j < design.n_cols; ++j) {
    const auto& entries = by_feature[j];
    if (entries.empty()) continue;
    const auto add = [&](Index place, double x) {
      double* target = eta.data() + place * n_points;
      for (const auto& [l, value] : entries) target[l] += x * value;
    };
    design.for_each_entry(j, [&](Index i, double x) {
      if (x == 0.0) return;
      if (rows == nullptr) return add(i, x);
      for (const Index place : places[i]) add(place, x);
    });
  }
  return eta;
}

}  // namespace normball
