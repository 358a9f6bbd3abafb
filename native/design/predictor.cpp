#include "design/predictor.hpp"

#include <algorithm>

#include "core/blas.hpp"

namespace normball {
namespace {

// eta += X C, some rows at a time: those rows of the columns that any point uses stay in cache while BLAS multiplies
void add_dense(const DenseDesign& design, const std::int64_t* rows, Index n_chosen, const SparseCoefficients& coefs,
               double* eta, Threads& threads) {
  constexpr Index block = 64;
  constexpr Index share = 16 * block;  // rows of one task
  std::vector<std::int32_t> used(coefs.indices, coefs.indices + coefs.indptr[coefs.n_points]);
  std::ranges::sort(used);
  const auto [first, last] = std::ranges::unique(used);
  used.erase(first, last);
  const auto n_used = static_cast<Index>(used.size());
  if (n_used == 0) return;
  Vector dense(static_cast<std::size_t>(n_used * coefs.n_points), 0.0);
  for (Index l = 0; l < coefs.n_points; ++l) {
    for (std::int64_t e = coefs.indptr[l]; e < coefs.indptr[l + 1]; ++e) {
      const auto place = std::ranges::lower_bound(used, coefs.indices[e]) - used.begin();
      dense[l * n_used + place] += coefs.values[e];
    }
  }
  threads.parallel_for((n_chosen + share - 1) / share, [&](Index task) {
    Vector entries(static_cast<std::size_t>(n_used * block));
    const Index last_row = std::min(n_chosen, (task + 1) * share);
    for (Index begin = task * share; begin < last_row; begin += block) {
      const Index count = std::min(block, last_row - begin);
      design.take_rows(used, rows, begin, count, entries.data());
      linalg::add_at_b(coefs.n_points, count, n_used, dense.data(), n_used, entries.data(), n_used,
                       eta + begin * coefs.n_points, coefs.n_points);
    }
  });
}

// the same entry by entry
void add_sparse(const Design& design, const std::int64_t* rows, Index n_chosen, const SparseCoefficients& coefs,
                double* eta) {
  std::vector<std::vector<std::pair<Index, double>>> by_feature(static_cast<std::size_t>(design.n_cols));
  for (Index l = 0; l < coefs.n_points; ++l) {
    for (std::int64_t e = coefs.indptr[l]; e < coefs.indptr[l + 1]; ++e) {
      by_feature[coefs.indices[e]].emplace_back(l, coefs.values[e]);
    }
  }
  std::vector<std::vector<Index>> places;  // a row may be asked for more than once
  if (rows != nullptr) {
    places.resize(static_cast<std::size_t>(design.n_rows));
    for (Index i = 0; i < n_chosen; ++i) places[rows[i]].push_back(i);
  }
  for (Index j = 0; j < design.n_cols; ++j) {
    const auto& entries = by_feature[j];
    if (entries.empty()) continue;
    const auto add = [&](Index place, double x) {
      double* target = eta + place * coefs.n_points;
      for (const auto& [l, value] : entries) target[l] += x * value;
    };
    for_each_entry(design, j, [&](Index i, double x) {
      if (rows == nullptr) return add(i, x);
      for (const Index place : places[i]) add(place, x);
    });
  }
}

}  // namespace

Vector predict(const Design& X, const std::int64_t* rows, Index n_chosen, const SparseCoefficients& coefs,
               int n_threads) {
  const Vector zero_centre(static_cast<std::size_t>(X.n_cols), 0.0);
  const std::unique_ptr<Design> design = X.about(zero_centre.data());
  Vector eta(static_cast<std::size_t>(n_chosen * coefs.n_points));
  for (Index i = 0; i < n_chosen; ++i) {
    std::copy_n(coefs.intercepts, coefs.n_points, eta.begin() + i * coefs.n_points);
  }
  if (const auto* dense = dynamic_cast<const DenseDesign*>(design.get())) {
    Threads threads(n_threads);
    add_dense(*dense, rows, n_chosen, coefs, eta.data(), threads);
  } else {
    add_sparse(*design, rows, n_chosen, coefs, eta.data());
  }
  return eta;
}

}  // namespace normball
