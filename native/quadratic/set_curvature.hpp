// The curvature of one problem on its working set: H = X'DX with the intercept profiled out, less (MX)'MX where the
// loss couples rows, D and M fixed at some eta.
#pragma once

#include <numeric>

#include "core/blas.hpp"
#include "losses/loss.hpp"
#include "problem/problem.hpp"

namespace normball {

class SetCurvature {
 public:
  static constexpr Index largest_dense = 4096;

  bool empty() const { return rows_.diagonal.empty(); }
  bool is_dense() const { return dense_; }
  const double* matrix() const { return matrix_.get(); }
  Index stride() const { return stride_; }
  const LossCurvature& rows() const { return rows_; }
  Index version() const { return version_; }  // changes whenever entries do; not when columns join
  double total() const { return total_; }
  double mean(Index s) const { return means_[s]; }  // sum_i d_i of standardised column s

  void clear() { reset({}); }

  void reset(LossCurvature rows) {
    rows_ = std::move(rows);
    projected_.clear();
    total_ = std::accumulate(rows_.diagonal.begin(), rows_.diagonal.end(), 0.0);
    known_ = 0;
    ++version_;
    means_.clear();
  }

  // Where the weights of a few rows of a dense design are others, with little of their sum at stake, those rows alone
  // change what is known of H: beside a weight T about the mean m, a row z of weight d adds d T / (T + d) times the
  // square of z - m (Chan, Golub & LeVeque 1983). False where H is better made anew.
  bool change(const Design& design, const Problem& problem, const std::vector<Index>& set, const Vector& weights) {
    const auto* dense = dynamic_cast<const DenseDesign*>(&design);
    if (dense == nullptr || !dense_ || empty() || rows_.coupling != nullptr) return false;
    std::vector<std::int64_t> rows;
    double moved = 0.0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] != rows_.diagonal[i]) rows.push_back(static_cast<std::int64_t>(i));
      moved += std::abs(weights[i] - rows_.diagonal[i]);
    }
    if (8 * std::ssize(rows) > design.n_rows || 2.0 * moved > total_) return false;
    if (rows.empty()) return true;
    const auto lost = std::ranges::partition(rows, [&](Index i) { return weights[i] > rows_.diagonal[i]; });
    const auto n_lost = static_cast<Index>(lost.size());
    const Index n_gained = std::ssize(rows) - n_lost;
    const Vector entries = weigh_rows(*dense, problem, set, rows, weights);
    linalg::add_a_at(known_, n_gained, 1.0, entries.data(), known_, matrix_.get(), stride_);
    linalg::add_a_at(known_, n_lost, -1.0, entries.data() + n_gained * known_, known_, matrix_.get(), stride_);
    mirror(0, known_);
    rows_.diagonal = weights;
    total_ = std::accumulate(weights.begin(), weights.end(), 0.0);
    ++version_;
    return true;
  }

  static double n_entries(const Design& design, const std::vector<Index>& set) {
    double entries = 0.0;
    for (const Index j : set) entries += static_cast<double>(design.n_entries(j));
    return entries;
  }

  // Nanoseconds of an ordinary core: one pass of descent over the columns, and H from nothing.
  static double pass_cost(const Design& design, const std::vector<Index>& set) {
    return design.is_sparse() ? 2.0 * n_entries(design, set) : 0.5 * n_entries(design, set);
  }
  static double gram_cost(const Design& design, const std::vector<Index>& set) {
    const auto size = static_cast<double>(set.size());
    const double entries = n_entries(design, set);
    if (!design.is_sparse()) return 0.05 * entries * size;
    return 5.0 * entries + 1.5 * entries * entries / static_cast<double>(design.n_rows) + 3.0 * size * size;
  }

  // of what is taken from H where the loss couples rows
  double coupling_cost(const std::vector<Index>& set) const {
    if (rows_.coupling == nullptr) return 0.0;
    const auto size = static_cast<double>(set.size());
    const auto n_terms = static_cast<double>(rows_.coupling->n_terms());
    return size * (10.0 * static_cast<double>(rows_.diagonal.size()) + 0.05 * n_terms * size);
  }

  static double factor_cost(double size) { return 0.02 * size * size * size; }

  // Covers all of `set`, whose first columns it may know already. `n_passes`: over the columns, what a solution of
  // the model on them takes.
  void cover(const Design& design, const Problem& problem, const std::vector<Index>& set, double n_active,
             double n_passes, Threads& threads) {
    const auto size = static_cast<Index>(set.size());
    const bool dense = dense_pays(design, set, n_active, n_passes);
    if (dense != dense_) {
      known_ = 0;
      ++version_;
    }
    dense_ = dense;
    if (!dense_) {  // the columns stand in for H
      matrix_.reset();
      stride_ = 0;
      return;
    }
    if (size == known_) return;
    reserve(size);
    for (Index b = known_; b < size; ++b) std::fill_n(matrix_.get() + b * stride_, b + 1, 0.0);
    Vector sums(set.size(), 0.0);
    design.add_gram({.columns = {.list = set.data(), .count = size},
                     .first_new = known_,
                     .d = rows_.diagonal.data(),
                     .out = matrix_.get(),
                     .stride = stride_,
                     .sums = sums.data()},
                    threads);
    means_.resize(set.size());
    Vector inverse(set.size());
    for (Index a = 0; a < size; ++a) {
      inverse[a] = 1.0 / problem.scaling.scale[set[a]];
      if (a >= known_) means_[a] = problem.scaling.product(set[a], sums[a], total_);
    }
    if (rows_.coupling != nullptr) take_coupled(design, set, threads);
    const double share = problem.spec->fit_intercept ? 1.0 / total_ : 0.0;
    for (Index b = known_; b < size; ++b) {
      double* column = matrix_.get() + b * stride_;
      const double profiled = share * sums[b];
      for (Index a = 0; a <= b; ++a) column[a] = (column[a] - sums[a] * profiled) * (inverse[a] * inverse[b]);
    }
    mirror(known_, size);
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
      const Index n = rows_.coupling == nullptr ? 0 : rows_.coupling->n_terms();
      std::copy_n(projected_.begin() + kept[b] * n, n, projected_.begin() + static_cast<Index>(b) * n);
      for (std::size_t a = 0; a < kept.size(); ++a) {
        matrix_[static_cast<Index>(b) * stride_ + static_cast<Index>(a)] = matrix_[kept[b] * stride_ + kept[a]];
      }
    }
    known_ = static_cast<Index>(kept.size());
    ++version_;
    means_.resize(kept.size());
  }

 private:
  static constexpr double least_share = 1e-9;  // of x'Dx that M leaves

  // takes (MX)'MX from the columns that are new
  void take_coupled(const Design& design, const std::vector<Index>& set, Threads& threads) {
    const Index n = rows_.coupling->n_terms();
    const Index fresh = std::ssize(set) - known_;
    projected_.resize(static_cast<std::size_t>(n * std::ssize(set)));
    double* joined = projected_.data() + known_ * n;
    constexpr Index at_once = 4;
    threads.parallel_for((fresh + at_once - 1) / at_once, [&](Index part) {
      const Index first = part * at_once;
      const Index count = std::min(at_once, fresh - first);
      Vector columns;
      for (Index f = first; f < first + count; ++f) {
        const Index j = set[known_ + f];
        const Index begin = std::ssize(columns);
        columns.resize(columns.size() + static_cast<std::size_t>(design.n_rows), -design.stored_centre(j));
        for_each_entry(design, j, [&](Index i, double x) { columns[begin + i] += x; });
      }
      double* const out = joined + first * n;
      rows_.coupling->project(columns.data(), design.n_rows, count, out);
      for (Index t = 0; t < count * n; ++t) out[t] = -out[t];
    });
    double* H = matrix_.get() + known_ * stride_;
    // where rows are fitted perfectly the difference is rounding: a column keeps a say
    for (Index f = 0; f < fresh; ++f) H[f * stride_ + known_ + f] *= 1.0 + least_share;
    linalg::add_at_b(known_, fresh, n, projected_.data(), n, joined, n, H, stride_);
    linalg::add_at_a(fresh, n, -1.0, joined, n, H + known_, stride_);
    for (Index e = 0; e < fresh * n; ++e) joined[e] = -joined[e];
  }

  // the rows that change H, about the means of those before them and times the root of what they count, row-major
  Vector weigh_rows(const DenseDesign& design, const Problem& problem, const std::vector<Index>& set,
                    const std::vector<std::int64_t>& rows, const Vector& weights) {
    const std::vector<std::int32_t> columns(set.begin(), set.begin() + known_);
    Vector entries(rows.size() * columns.size());
    design.take_rows(columns, rows.data(), 0, std::ssize(rows), entries.data());
    double total = total_;
    double* z = entries.data();
    for (const Index i : rows) {
      const double d = weights[i] - rows_.diagonal[i];
      const double share = problem.spec->fit_intercept ? 1.0 / total : 0.0;
      const double root = std::sqrt(std::abs(d / (1.0 + d * share)));
      for (Index s = 0; s < known_; ++s, ++z) {
        const double value = problem.scaling.product(set[s], *z, 1.0);
        *z = root * (value - share * means_[s]);
        means_[s] += d * value;
      }
      total += d;
    }
    return entries;
  }

  // Whether a dense H is cheaper than passes over the columns: what its new columns cost, the factor of the active
  // block and descent along its columns against gathers and scatters.
  bool dense_pays(const Design& design, const std::vector<Index>& set, double active, double n_passes) const {
    const auto size = static_cast<double>(set.size());
    if (size > largest_dense) return false;
    if (!design.is_sparse() || rows_.coupling != nullptr) return true;
    const double fresh = size == 0.0 ? 0.0 : 1.0 - (dense_ ? static_cast<double>(known_) / size : 0.0);
    const double solution = fresh * factor_cost(active) + 2.0 * active * size;
    return fresh * gram_cost(design, set) + solution <= n_passes * pass_cost(design, set);
  }

  // the columns from `known` on also become rows, a tile at a time
  void mirror(Index known, Index size) {
    constexpr Index tile = 16;
    for (Index first = 0; first < size; first += tile) {
      for (Index b = std::max(known, first); b < size; ++b) {
        for (Index a = first; a < std::min(first + tile, b); ++a) matrix_[a * stride_ + b] = matrix_[b * stride_ + a];
      }
    }
  }

  void reserve(Index size) {
    if (size <= stride_) return;
    const Index wider = std::min(largest_dense, std::max(size, stride_ + stride_ / 2 + 16));
    Buffer matrix = make_buffer(wider * wider);
    for (Index b = 0; b < known_; ++b) {
      std::copy_n(matrix_.get() + b * stride_, known_, matrix.get() + b * wider);
    }
    matrix_ = std::move(matrix);
    stride_ = wider;
  }

  LossCurvature rows_;
  Vector projected_;  // M x of the columns that are known, as they are stored
  double total_ = 0.0;
  Buffer matrix_;
  Index stride_ = 0;
  Index known_ = 0;
  Index version_ = 0;
  bool dense_ = true;
  Vector means_;
};

}  // namespace normball
