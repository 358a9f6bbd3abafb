// H = sum_i x_i x_i' (x) W_i over the values of a model that matter, W_i = diag(d_i) - r_i r_i' the curvature of a row:
// exact, since a diagonal bound would let classes that compete wait for each other. With Z the columns r_ik x_ij it is
// one Gram of all values, H = blocks of X'D_k X - Z'Z (M26), and one of each output's own. Rows that hold together take
// another one, (MX)'MX. It is kept while steps converge.
#pragma once

#include <algorithm>

#include "losses/outputs_loss.hpp"
#include "paths/blocks/set_columns.hpp"

namespace normball {

class CoupledCurvature {
 public:
  CoupledCurvature(const Design& design, const OutputsLoss& loss) : design_(design), loss_(loss) {}

  const std::vector<Value>& values() const { return values_; }
  Index size() const { return std::ssize(values_); }
  const double* data() const { return H_.get(); }
  Index stride() const { return stride_; }
  Index version() const { return version_; }
  const RowCurvature& rows() const { return rows_; }
  bool exists() const { return !rows_.diagonal.empty(); }

  // of the rows as they are at eta; no values yet
  void renew(const Vector& eta) {
    loss_.curve(eta.data(), rows_);
    values_.clear();
    ++version_;
  }

  void forget() {
    rows_ = {};
    values_.clear();
    H_.reset();
    stride_ = 0;
  }

  // more values, whose blocks are in the set
  void append(const SetColumns& set, const std::vector<Value>& values) {
    if (values.empty()) return;
    const Index old = size();
    values_.insert(values_.end(), values.begin(), values.end());
    reserve(size(), old);
    for (Index b = old; b < size(); ++b) std::fill_n(column(b), size(), 0.0);
    if (design_.is_sparse()) {
      add_entries(set, old);
    } else {
      add_rows(set, old);
    }
    if (rows_.coupling != nullptr) take_coupled(set, old);
    for (Index b = old; b < size(); ++b) {
      for (Index a = 0; a < b; ++a) column(a)[b] = column(b)[a];
    }
  }

  // Where a loss does not mind the same number in all outputs, nothing else holds a coefficient without penalty.
  void hold_together(Index set_column) {
    std::vector<Index> places;
    for (Index a = 0; a < size(); ++a) {
      if (values_[a].column == set_column) places.push_back(a);
    }
    const double size = column(places[0])[places[0]];
    for (const Index b : places) {
      for (const Index a : places) column(b)[a] += size;
    }
  }

 private:
  static constexpr Index block_rows = 256;
  static constexpr double least_share = 1e-9;  // of x'Dx that M leaves

  double* column(Index b) { return H_.get() + b * stride_; }

  void reserve(Index wanted, Index n_kept) {
    if (wanted <= stride_) return;
    const Index stride = std::max(wanted, stride_ + stride_ / 4 + 8);
    Buffer wider = make_buffer(stride * stride);
    for (Index c = 0; c < n_kept; ++c) std::copy_n(column(c), n_kept, wider.get() + c * stride);
    H_ = std::move(wider);
    stride_ = stride;
  }

  // of each output, its values in the order in which they joined
  std::vector<std::vector<Index>> by_output() const {
    std::vector<std::vector<Index>> found(static_cast<std::size_t>(loss_.n_outputs));
    for (Index a = 0; a < size(); ++a) found[values_[a].output].push_back(a);
    return found;
  }

  void add_rows(const SetColumns& set, Index old) {
    const Index fresh = size() - old;
    const auto outputs = by_output();
    std::vector<Vector> grams;  // of each output's own values with the fresh ones among them
    grams.reserve(outputs.size());
    for (const auto& places : outputs)
      grams.emplace_back(places.size() * static_cast<std::size_t>(n_fresh(places, old)));
    Vector columns(static_cast<std::size_t>(set.n_columns() * block_rows));
    Vector panel(static_cast<std::size_t>(size() * block_rows));
    Vector raw;
    Vector root(static_cast<std::size_t>(block_rows));
    for (Index begin = 0; begin < design_.n_rows; begin += block_rows) {
      const Index count = std::min(block_rows, design_.n_rows - begin);
      set.pack(design_, 0, set.size(), begin, count, columns.data(), block_rows, raw);
      const auto put = [&](Index to, const double* factor, Index column_of_set) {
        const double* from = columns.data() + column_of_set * block_rows;
        kernels::scale(1.0, factor, from, panel.data() + to * block_rows, count);
      };
      if (!rows_.root.empty()) {
        for (Index a = 0; a < size(); ++a) {
          put(a, rows_.root.data() + values_[a].output * design_.n_rows + begin, values_[a].column);
        }
        double* joined = panel.data() + old * block_rows;
        linalg::add_at_a(fresh, count, -1.0, joined, block_rows, column(old) + old, stride_);
        if (old > 0) {
          for (Index e = 0; e < fresh * block_rows; ++e) joined[e] = -joined[e];
          linalg::add_at_b(old, fresh, count, panel.data(), block_rows, joined, block_rows, column(old), stride_);
        }
      }
      for (Index k = 0; k < loss_.n_outputs; ++k) {
        const auto& places = outputs[k];
        const Index joining = n_fresh(places, old);
        if (joining == 0) continue;
        const double* d = rows_.diagonal.data() + k * design_.n_rows + begin;
        for (Index i = 0; i < count; ++i) root[i] = std::sqrt(d[i]);
        const auto n_places = std::ssize(places);
        for (Index a = 0; a < n_places; ++a) put(a, root.data(), values_[places[a]].column);
        const Index known = n_places - joining;
        double* joined = panel.data() + known * block_rows;
        linalg::add_at_b(known, joining, count, panel.data(), block_rows, joined, block_rows, grams[k].data(),
                         n_places);
        linalg::add_at_a(joining, count, 1.0, joined, block_rows, grams[k].data() + known, n_places);
      }
    }
    for (Index k = 0; k < loss_.n_outputs; ++k) {
      const auto& places = outputs[k];
      const auto n_places = std::ssize(places);
      const Index known = n_places - n_fresh(places, old);
      for (Index b = known; b < n_places; ++b) {
        for (Index a = 0; a <= b; ++a) column(places[b])[places[a]] += grams[k][(b - known) * n_places + a];
      }
    }
  }

  static Index n_fresh(const std::vector<Index>& places, Index old) {
    return places.end() - std::ranges::lower_bound(places, old);
  }

  // Takes (MX)'MX from what is new, where the rows of one output hold together. (M34)
  void take_coupled(const SetColumns& set, Index old) {
    const Index n = rows_.coupling->n_terms();
    const Index fresh = size() - old;
    projected_.resize(static_cast<std::size_t>(n * size()));
    std::vector<Index> value_of(static_cast<std::size_t>(set.n_columns()), -1);
    for (Index a = old; a < size(); ++a) value_of[values_[a].column] = a;
    Vector rows(static_cast<std::size_t>(design_.n_rows));
    for (Index place = 0; place < set.size(); ++place) {
      for (Index c = 0; c < set.width(place); ++c) {
        const Index a = value_of[set.first(place) + c];
        if (a < 0) continue;
        set.read(place, c, rows);
        rows_.coupling->project(rows.data(), design_.n_rows, 1, projected_.data() + a * n);
      }
    }
    double* joined = projected_.data() + old * n;
    // where rows are fitted perfectly the difference is rounding: a column keeps a say
    for (Index b = old; b < size(); ++b) column(b)[b] *= 1.0 + least_share;
    for (Index e = 0; e < fresh * n; ++e) joined[e] = -joined[e];
    linalg::add_at_b(old, fresh, n, projected_.data(), n, joined, n, column(old), stride_);
    linalg::add_at_a(fresh, n, -1.0, joined, n, column(old) + old, stride_);
    for (Index e = 0; e < fresh * n; ++e) joined[e] = -joined[e];
  }

  struct Entry {
    std::int32_t column;
    double x;
  };

  // row by row over the stored entries; what centring takes from them follows from the products with a column of ones
  void add_entries(const SetColumns& set, Index old) {
    std::vector<std::int64_t> begin(static_cast<std::size_t>(design_.n_rows) + 1, 0);
    set.for_each_entry([&](Index i, Index, double) { ++begin[i + 1]; });
    for (Index i = 0; i < design_.n_rows; ++i) begin[i + 1] += begin[i];
    std::vector<Entry> entries(static_cast<std::size_t>(begin.back()));
    std::vector<std::int64_t> next(begin.begin(), begin.end() - 1);
    set.for_each_entry([&](Index i, Index column, double x) {
      entries[next[i]++] = {.column = static_cast<std::int32_t>(column), .x = x};
    });
    const Index n_outputs = loss_.n_outputs;
    std::vector<Index> place(static_cast<std::size_t>(set.n_columns() * n_outputs), -1);
    for (Index a = 0; a < size(); ++a) place[values_[a].column * n_outputs + values_[a].output] = a;
    // sums with a column of ones for each output: all values, old ones again
    border_.assign(static_cast<std::size_t>(size() * n_outputs), 0.0);
    corner_.assign(static_cast<std::size_t>(n_outputs * n_outputs), 0.0);
    std::vector<Found> found;
    for (Index i = 0; i < design_.n_rows; ++i)
      add_row(set, i, {entries.data() + begin[i], entries.data() + begin[i + 1]}, place, old, found);
    centre(set, old);
  }

  struct Found {
    Index place;
    Index output;
    double x;
    double root;
  };

  void add_row(const SetColumns& set, Index i, std::span<const Entry> entries, const std::vector<Index>& place,
               Index old, std::vector<Found>& found) {
    const Index n = design_.n_rows;
    const Index n_outputs = loss_.n_outputs;
    const auto root = [&](Index k) { return rows_.root.empty() ? 0.0 : rows_.root[k * n + i]; };
    found.clear();
    const auto take = [&](Index column, double x) {
      for (Index k = 0; k < n_outputs; ++k) {
        const Index a = place[column * n_outputs + k];
        if (a >= 0) found.push_back({.place = a, .output = k, .x = x, .root = root(k) * x});
      }
    };
    if (set.size() > 0 && set.block(0) == SetColumns::intercept) take(0, 1.0);
    for (const Entry& entry : entries) take(entry.column, entry.x);
    for (const Found& b : found) {
      const double own = rows_.diagonal[b.output * n + i] * b.x;
      for (Index k = 0; k < n_outputs; ++k) {
        border_[b.place * n_outputs + k] += (k == b.output ? own : 0.0) - b.root * root(k);
      }
      if (b.place < old) continue;
      double* target = column(b.place);
      for (const Found& a : found) {
        if (a.place > b.place) continue;
        target[a.place] += (a.output == b.output ? own * a.x : 0.0) - b.root * a.root;
      }
    }
    for (Index l = 0; l < n_outputs; ++l) {
      for (Index k = 0; k < n_outputs; ++k) {
        corner_[l * n_outputs + k] += (k == l ? rows_.diagonal[k * n + i] : 0.0) - root(k) * root(l);
      }
    }
  }

  void centre(const SetColumns& set, Index old) {
    const Vector centres = set.centres();
    const Index n_outputs = loss_.n_outputs;
    for (Index b = old; b < size(); ++b) {
      const double mb = centres[values_[b].column];
      const Index kb = values_[b].output;
      for (Index a = 0; a <= b; ++a) {
        const double ma = centres[values_[a].column];
        const Index ka = values_[a].output;
        column(b)[a] += ma * mb * corner_[kb * n_outputs + ka] - ma * border_[b * n_outputs + ka] -
                        mb * border_[a * n_outputs + kb];
      }
    }
  }

  const Design& design_;
  const OutputsLoss& loss_;
  RowCurvature rows_;
  std::vector<Value> values_;
  Buffer H_;
  Index stride_ = 0;
  Index version_ = 0;
  Vector projected_;  // M times the columns of the values
  Vector border_;
  Vector corner_;
};

}  // namespace normball
