// A block of rows where it meets the candidates: X B, X'R and X'DX. Packed for BLAS, or as the entries that are stored,
// where these are few.
#pragma once

#include <cmath>
#include <numeric>

#include "core/blas.hpp"
#include "design/design.hpp"
#include "paths/windows/candidates.hpp"

namespace normball {

class RowTile {
 public:
  static constexpr Index block = RoughGram::block;  // rows; with 1000 columns they fill 2 MB of cache

  RowTile(const Design& design, const Candidates& candidates) : design_(design), candidates_(candidates) {}
  virtual ~RowTile() = default;
  RowTile(const RowTile&) = delete;
  RowTile& operator=(const RowTile&) = delete;

  virtual void make_room(CandidateSums& out) = 0;                            // for products and curvatures
  virtual void take(Index begin, Index count) = 0;                           // the next rows
  virtual void predict(double* eta, Index stride) = 0;                       // eta += X B
  virtual void add_products(const double* targets, CandidateSums& out) = 0;  // of candidates and curvatures
  // X'DX of a curvature; `name` of the first row is known to chance
  virtual void add_gram(Index h, const double* d, Index name, CandidateSums& out) = 0;
  virtual void finish(CandidateSums& /*out*/) {}  // after the last rows

 protected:
  const Design& design() const { return design_; }
  const Candidates& candidates() const { return candidates_; }

 private:
  const Design& design_;
  const Candidates& candidates_;
};

class PackedTile final : public RowTile {
 public:
  // of the columns that candidates use, or of all
  PackedTile(const Design& design, const Candidates& candidates, bool has_all)
      : RowTile(design, candidates),
        columns_{.list = candidates.order.data(), .count = has_all ? candidates.n_features : candidates.n_used},
        x_(static_cast<std::size_t>(block * columns_.count)),
        rough_(candidates.n_features, kernels::multiplies_bytes()) {}

  void make_room(CandidateSums& out) override {
    const auto p = static_cast<std::size_t>(candidates().n_features);
    out.products.assign(p * static_cast<std::size_t>(candidates().n_targets()), 0.0);
    for (std::size_t h = 0; h < out.grams.size(); ++h) {
      if (has_all_digits(static_cast<Index>(h))) {
        scaled_.resize(block * p);
        out.grams[h].assign(p * p, 0.0);
      } else {
        out.roughs[h] = rough_.empty_sums();
      }
    }
  }

  void take(Index begin, Index count) override {
    count_ = count;
    design().pack_rows(columns_, begin, count, x_.data(), block);
  }

  void predict(double* eta, Index stride) override {
    const Candidates& of = candidates();
    if (of.n_used == 0) return;
    linalg::add_a_b(count_, of.count(), of.n_used, x_.data(), block, of.coefs.data(), of.n_used, eta, stride);
  }

  void add_products(const double* targets, CandidateSums& out) override {
    const Index p = candidates().n_features;
    linalg::add_at_b(p, candidates().n_targets(), count_, x_.data(), block, targets, block, out.products.data(), p);
  }

  void add_gram(Index h, const double* d, Index name, CandidateSums& out) override {
    const Candidates& of = candidates();
    const Index p = of.n_features;
    for (Index r = 0; r < count_; ++r) root_[r] = std::sqrt(d[r]);
    if (!has_all_digits(h)) {
      rough_.add(x_.data(), of.order.data(), of.inverse_units.data(), root_, name, count_, out.roughs[h]);
      return;
    }
    for (Index a = 0; a < p; ++a)
      kernels::scale(of.inverse_units[a], root_, x_.data() + a * block, scaled_.data() + a * block, count_);
    linalg::add_at_a(p, count_, 1.0, scaled_.data(), block, out.grams[h].data(), p);
  }

 private:
  bool has_all_digits(Index h) const { return candidates().digits[candidates().curved[h]] == Digits::all; }

  Columns columns_;
  Index count_ = 0;
  Vector x_;       // block x columns, centred
  Vector scaled_;  // the same times the roots of a precise curvature
  double root_[block] = {};
  RoughGram rough_;
};

// Eight vectors stand side by side in each row and meet an entry in one cache line; the centre enters at the end, as a
// correction of sums.
class SparseTile final : public RowTile {
 public:
  static constexpr double most_filled = 0.25;  // of the cells; beyond that BLAS is as quick

  SparseTile(const SparseDesign& design, const Candidates& candidates)
      : RowTile(design, candidates),
        sparse_(design),
        start_(candidates.order.size() + 1, 0),
        all_rows_(static_cast<std::size_t>(block)),
        ones_(static_cast<std::size_t>(block), 1.0),
        shift_(static_cast<std::size_t>(candidates.count()), 0.0),
        side_(static_cast<std::size_t>(block * group)) {
    std::iota(all_rows_.begin(), all_rows_.end(), 0);
    for (Index c = 0; c < candidates.count(); ++c) {
      for (Index a = 0; a < candidates.n_used; ++a)
        shift_[c] += candidates.coefs[c * candidates.n_used + a] * centre(a);
    }
    coefs_.assign(static_cast<std::size_t>(n_groups(candidates.count()) * candidates.n_used * group), 0.0);
    for (Index c = 0; c < candidates.count(); ++c) {
      for (Index a = 0; a < candidates.n_used; ++a)
        coefs_[(c / group * candidates.n_used + a) * group + c % group] = candidates.coefs[c * candidates.n_used + a];
    }
  }

  void make_room(CandidateSums& out) override {
    const auto p = static_cast<std::size_t>(candidates().n_features);
    products_.assign(static_cast<std::size_t>(n_groups(candidates().n_targets()) * group) * (p + 1), 0.0);
    for (Vector& gram : out.grams) gram.assign(p * p, 0.0);
  }

  void take(Index begin, Index count) override {
    count_ = count;
    rows_.resize(candidates().order.size() * block);
    values_.resize(rows_.size());
    for (std::size_t a = 0; a < candidates().order.size(); ++a) {
      const Index at = start_[a];
      start_[a + 1] =
          at + sparse_.read_rows(candidates().order[a], begin, count, rows_.data() + at, values_.data() + at);
    }
    if (candidates().n_curved() > 0) sort_by_row();
  }

  void predict(double* eta, Index stride) override {
    const Index n_used = candidates().n_used;
    for (Index g = 0; g < n_groups(candidates().count()); ++g) {
      std::fill_n(side_.data(), count_ * group, 0.0);
      for (Index a = 0; a < n_used; ++a) {
        const double* const coefs = coefs_.data() + (g * n_used + a) * group;
        if (n_entries(a) == 0 || std::all_of(coefs, coefs + group, [](double b) { return b == 0.0; })) continue;
        kernels::scatter_group(coefs, values_.data() + start_[a], rows_.data() + start_[a], n_entries(a), 0.0,
                               side_.data());
      }
      for (Index c = g * group; c < std::min((g + 1) * group, candidates().count()); ++c) {
        for (Index r = 0; r < count_; ++r) eta[c * stride + r] += side_[r * group + c % group] - shift_[c];
      }
    }
  }

  void add_products(const double* targets, CandidateSums& /*out*/) override {
    const Index p = candidates().n_features;
    for (Index g = 0; g < n_groups(candidates().n_targets()); ++g) {
      std::fill_n(side_.data(), count_ * group, 0.0);
      for (Index t = g * group; t < std::min((g + 1) * group, candidates().n_targets()); ++t) {
        for (Index r = 0; r < count_; ++r) side_[r * group + t % group] = targets[t * block + r];
      }
      for (Index a = 0; a < p; ++a) {
        if (n_entries(a) > 0) gather(values_.data() + start_[a], rows_.data() + start_[a], n_entries(a), g, a);
      }
      gather(ones_.data(), all_rows_.data(), count_, g, p);
    }
  }

  void add_gram(Index h, const double* d, Index /*name*/, CandidateSums& out) override {
    const Index p = candidates().n_features;
    for (Index r = 0; r < count_; ++r) {
      if (d[r] == 0.0) continue;
      for (Index e = row_start_[r]; e < row_start_[r + 1]; ++e) {
        double* const target = out.grams[h].data() + column_[e] * p;
        const double scaled = d[r] * by_row_[e];
        for (Index f = row_start_[r]; f <= e; ++f) target[column_[f]] += scaled * by_row_[f];
      }
    }
  }

  // what was added up of entries as they are stored, about the centre
  void finish(CandidateSums& out) override {
    const Index p = candidates().n_features;
    const Vector& inverse = candidates().inverse_units;
    for (std::size_t h = 0; h < out.grams.size(); ++h) {
      const Index t = candidates().count() + static_cast<Index>(h);
      for (Index b = 0; b < p; ++b) {
        double* const target = out.grams[h].data() + b * p;
        for (Index a = 0; a <= b; ++a) {
          target[a] += centre(a) * centre(b) * product(t, p) - centre(a) * product(t, b) - centre(b) * product(t, a);
          target[a] *= inverse[a] * inverse[b];
        }
      }
    }
    out.products.resize(static_cast<std::size_t>(p * candidates().n_targets()));
    for (Index t = 0; t < candidates().n_targets(); ++t) {
      for (Index a = 0; a < p; ++a) out.products[t * p + a] = product(t, a) - centre(a) * product(t, p);
    }
  }

 private:
  static constexpr Index group = kernels::group;

  static Index n_groups(Index n_vectors) { return (n_vectors + group - 1) / group; }
  double centre(Index a) const { return sparse_.stored_centre(candidates().order[a]); }
  Index n_entries(Index a) const { return start_[a + 1] - start_[a]; }
  // of a target with a column, or behind these with the column of ones
  double product(Index t, Index a) const {
    return products_[(t / group * (candidates().n_features + 1) + a) * group + t % group];
  }
  void gather(const double* values, const std::int32_t* rows, Index count, Index g, Index a) {
    double sums[group];
    kernels::gather_group(values, rows, count, 0.0, side_.data(), sums);
    double* const to = products_.data() + (g * (candidates().n_features + 1) + a) * group;
    for (Index k = 0; k < group; ++k) to[k] += sums[k];
  }

  void sort_by_row() {
    const Index p = candidates().n_features;
    row_start_.assign(static_cast<std::size_t>(count_) + 1, 0);
    for (Index e = 0; e < start_[p]; ++e) ++row_start_[rows_[e] + 1];
    for (Index r = 0; r < count_; ++r) row_start_[r + 1] += row_start_[r];
    std::vector<Index> next = row_start_;
    column_.resize(static_cast<std::size_t>(start_[p]));
    by_row_.resize(column_.size());
    for (Index a = 0; a < p; ++a) {
      for (Index e = start_[a]; e < start_[a + 1]; ++e) {
        column_[next[rows_[e]]] = a;
        by_row_[next[rows_[e]]++] = values_[e];
      }
    }
  }

  const SparseDesign& sparse_;
  Index count_ = 0;
  std::vector<Index> start_;  // of each column's entries
  std::vector<std::int32_t> rows_;
  Vector values_;
  std::vector<std::int32_t> all_rows_;  // of the column of ones
  Vector ones_;
  std::vector<Index> row_start_;  // the same row by row
  std::vector<Index> column_;
  Vector by_row_;
  Vector shift_;     // of each candidate: its coefficients times the centre
  Vector coefs_;     // of eight candidates side by side, group by group
  Vector side_;      // block x 8
  Vector products_;  // (p + 1) x 8, group by group, of entries as they are stored
};

inline std::unique_ptr<RowTile> row_tile(const Design& design, const Candidates& candidates, bool has_all) {
  double n_entries = 0.0;
  for (const Index j : candidates.order) n_entries += static_cast<double>(design.n_entries(j));
  const auto* const sparse = dynamic_cast<const SparseDesign*>(&design);
  const double n_cells = static_cast<double>(design.n_rows) * static_cast<double>(candidates.n_features);
  if (sparse != nullptr && n_entries < SparseTile::most_filled * n_cells)
    return std::make_unique<SparseTile>(*sparse, candidates);
  return std::make_unique<PackedTile>(design, candidates, has_all);
}

}  // namespace normball
