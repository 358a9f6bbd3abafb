#include "design/csc.hpp"

#include <algorithm>

#include "core/interleaved_array.hpp"
#include "kernels/kernels.hpp"

namespace normball {
namespace {

// The centre enters as a correction of sums, so nothing is densified. A column without absent entries is centred entry
// by entry instead: its mean may dwarf its spread, and a correction would cancel.
template <class T>
class Csc final : public SparseDesign {
 public:
  Csc(const T* data, const std::int32_t* indices, const std::int64_t* indptr, Index n_rows, Index n_cols)
      : SparseDesign(n_rows, n_cols, std::numeric_limits<T>::epsilon(), 1e-14, indptr),
        data_(data),
        indices_(indices) {}

  std::unique_ptr<Design> about(const double* other_centre) const override {
    auto other = std::make_unique<Csc>(*this);
    other->centre = other_centre;
    return other;
  }

  void dot(Index j, const double* v, double* out) const override {
    *out = kernels::gather_dot(values(j), rows(j), n_entries(j), origin(j), v);
  }
  void add(Index j, const double* a, const double* d, double* out) const override {
    if (d == nullptr) return kernels::scatter_add(*a, values(j), rows(j), n_entries(j), origin(j), out);
    visit_entries(j, [&](Index i, double x) { out[i] += *a * d[i] * x; });
  }
  void weighted_sums(Index j, const double* d, double* sum, double* square) const override {
    double sums[2] = {};
    visit_entries(j, [&](Index i, double x) {
      sums[0] += d[i] * x;
      sums[1] += d[i] * x * x;
    });
    *sum = sums[0];
    *square = sums[1];
  }
  void read(Index j, Index first, Index count, Index* rows, double* values) const override {
    for (Index e = 0; e < count; ++e) {
      rows[e] = indices_[indptr_[j] + first + e];
      values[e] = static_cast<double>(data_[indptr_[j] + first + e]);
    }
  }

  void pack_rows(const Columns& columns, Index begin, Index count, double* out, Index stride) const override {
    for (Index a = 0; a < columns.count; ++a) {
      double* const column = out + a * stride;
      std::fill_n(column, count, -centre[columns[a]]);
      visit_rows(columns[a], begin, count, [&](Index r, double x) { column[r] = x - centre[columns[a]]; });
    }
  }
  Index read_rows(Index j, Index begin, Index count, std::int32_t* rows, double* values) const override {
    Index n = 0;
    visit_rows(j, begin, count, [&](Index r, double x) {
      rows[n] = static_cast<std::int32_t>(r);
      values[n++] = x - origin(j);
    });
    return n;
  }

  void dot(Index j, const float* v, float* out) const override {
    kernels::gather_floats(values(j), rows(j), n_entries(j), origin(j), v, out);
  }
  void dot_eight(Index j, const double* v, double* out) const override {
    kernels::gather_group(values(j), rows(j), n_entries(j), origin(j), v, out);
  }
  void add_eight(Index j, const double* a, double* out) const override {
    kernels::scatter_group(a, values(j), rows(j), n_entries(j), origin(j), out);
  }

  // Vectors are interleaved in groups of eight; the last one or two stay as they are.
  void sweep(const Sweep& s, Threads& threads) const override {
    const Index n_groups = (s.n_vectors + kernels::group - 3) / kernels::group;
    const Index n_grouped = std::min(s.n_vectors, n_groups * kernels::group);
    Vector totals(static_cast<std::size_t>(s.n_vectors), 0.0);
    InterleavedArray<double> rows(n_groups * n_rows);
    threads.parallel_for(n_groups, [&](Index g) { interleave(s, g * kernels::group, n_grouped, rows[g * n_rows]); });
    threads.parallel_for(s.n_vectors, [&](Index k) {
      for (Index i = 0; i < n_rows; ++i) totals[k] += s.vectors[k][i];
    });
    const std::vector<Index> blocks = cut(s.columns);
    const auto n_blocks = static_cast<Index>(blocks.size()) - 1;
    threads.parallel_for(n_blocks * (n_groups + s.n_vectors - n_grouped), [&](Index task) {
      const Index part = task / n_blocks;
      const Index begin = blocks[task % n_blocks];
      const Index end = blocks[task % n_blocks + 1];
      if (part < n_groups) {
        const Index first = part * kernels::group;
        multiply_group(s, begin, end, rows[part * n_rows], first, std::min(n_grouped, first + kernels::group), totals);
      } else {
        const Index k = n_grouped + part - n_groups;
        for (Index at = begin; at < end; ++at) {
          const Index j = s.columns[at];
          dot(j, s.vectors[k], &s.out[k][at]);
          s.out[k][at] -= stored_centre(j) * totals[k];
        }
      }
    });
  }

  void sweep_squares(const Sweep& s, Threads& threads) const override {
    Vector totals(static_cast<std::size_t>(s.n_vectors), 0.0);
    for (Index k = 0; k < s.n_vectors; ++k) {
      for (Index i = 0; i < n_rows; ++i) totals[k] += s.vectors[k][i];
    }
    const std::vector<Index> blocks = cut(s.columns);
    threads.parallel_for(static_cast<Index>(blocks.size()) - 1, [&](Index block) {
      for (Index at = blocks[block]; at < blocks[block + 1]; ++at) {
        const Index j = s.columns[at];
        const double c = stored_centre(j);
        for (Index k = 0; k < s.n_vectors; ++k) s.out[k][at] = c * c * totals[k];
        visit_entries(j, [&](Index i, double x) {
          for (Index k = 0; k < s.n_vectors; ++k) s.out[k][at] += x * (x - 2.0 * c) * s.vectors[k][i];
        });
      }
    });
  }

  void times(Columns columns, const double* coef, double* out, Threads& /*threads*/) const override {
    double shift = 0.0;
    for (Index c = 0; c < columns.count; ++c) {
      const Index j = columns[c];
      if (coef[c] == 0.0) continue;
      shift += coef[c] * stored_centre(j);
      add(j, coef + c, nullptr, out);
    }
    if (shift == 0.0) return;
    for (Index i = 0; i < n_rows; ++i) out[i] -= shift;
  }

  // The listed columns are turned into rows once; each row with weight then adds its outer product.
  void add_gram(const Gram& gram, Threads& /*threads*/) const override {
    const Index m = gram.columns.count;
    std::vector<std::int64_t> start(static_cast<std::size_t>(n_rows) + 1, 0);
    Vector raw_sums(static_cast<std::size_t>(m), 0.0);
    for (Index a = 0; a < m; ++a) {
      double sum = 0.0;
      visit_entries(gram.columns[a], [&](Index i, double x) {
        start[i + 1] += gram.d[i] > 0.0 ? 1 : 0;
        sum += gram.d[i] * x;
      });
      raw_sums[a] = sum;
    }
    double total = 0.0;
    for (Index i = 0; i < n_rows; ++i) {
      start[i + 1] += start[i];
      total += gram.d[i];
    }
    std::vector<std::int32_t> columns(static_cast<std::size_t>(start[n_rows]));
    Vector values(columns.size());
    std::vector<std::int64_t> next(start.begin(), start.end() - 1);
    for (Index a = 0; a < m; ++a) {
      visit_entries(gram.columns[a], [&](Index i, double x) {
        if (gram.d[i] == 0.0) return;
        columns[next[i]] = static_cast<std::int32_t>(a);
        values[next[i]++] = x;
      });
    }
    for (Index i = 0; i < n_rows; ++i) {
      const double d = gram.d[i];
      for (std::int64_t e = start[i + 1] - 1; e >= start[i] && columns[e] >= gram.first_new; --e) {
        double* target = gram.out + columns[e] * gram.stride;
        const double scaled = d * values[e];
        for (std::int64_t f = start[i]; f <= e; ++f) target[columns[f]] += scaled * values[f];
      }
    }
    for (Index b = gram.first_new; b < m; ++b) {
      const double cb = stored_centre(gram.columns[b]);
      double* target = gram.out + b * gram.stride;
      for (Index a = 0; a <= b; ++a) {
        const double ca = stored_centre(gram.columns[a]);
        target[a] += ca * cb * total - ca * raw_sums[b] - cb * raw_sums[a];
      }
    }
    for (Index a = 0; a < m; ++a) gram.sums[a] += raw_sums[a] - stored_centre(gram.columns[a]) * total;
  }

  // As in add_gram: rows first, then outer products, each to the sums of its row's group.
  std::vector<RowMoments> moments(const RowGroups& groups, Threads& /*threads*/) const override {
    std::vector<RowMoments> sums(static_cast<std::size_t>(groups.count), RowMoments(n_cols, groups.targets.size()));
    Vector totals(sums.size() * (1 + groups.targets.size()), 0.0);  // of the weights, then times each target
    std::vector<std::int64_t> start(static_cast<std::size_t>(n_rows) + 1, 0);
    for_each_member(groups, [&](Index, Index i, double) { ++start[i + 1]; });
    for (Index i = 0; i < n_rows; ++i) start[i + 1] += start[i];
    std::vector<std::int32_t> columns(static_cast<std::size_t>(start[n_rows]));
    Vector values(columns.size());
    std::vector<std::int64_t> next(start.begin(), start.end() - 1);
    for_each_member(groups, [&](Index j, Index i, double x) {
      columns[next[i]] = static_cast<std::int32_t>(j);
      values[next[i]++] = x;
    });
    for (const Index i : groups.members()) {
      RowMoments& sum = sums[groups.group[i]];
      double* total = totals.data() + groups.group[i] * (1 + static_cast<Index>(groups.targets.size()));
      for (std::int64_t e = start[i]; e < start[i + 1]; ++e) {
        double* target = sum.gram.data() + columns[e] * n_cols;
        const double scaled = groups.d[i] * values[e];
        for (std::int64_t f = start[i]; f <= e; ++f) target[columns[f]] += scaled * values[f];
      }
      for (std::size_t v = 0; v <= groups.targets.size(); ++v) {
        const double factor = groups.d[i] * (v == 0 ? 1.0 : groups.targets[v - 1][i]);
        total[v] += factor;
        double* products = sum.products.data() + static_cast<Index>(v) * n_cols;
        for (std::int64_t e = start[i]; e < start[i + 1]; ++e) products[columns[e]] += factor * values[e];
      }
    }
    for (std::size_t g = 0; g < sums.size(); ++g) {
      centre_sums(sums[g], totals.data() + g * (1 + groups.targets.size()), groups.targets.size());
    }
    return sums;
  }

  // A guess would not do: what is centred by a correction of sums wants the mean itself.
  double guess_centre(const double* weights, double* out, Threads& threads) const override {
    double total = 0.0;
    for (Index i = 0; i < n_rows; ++i) total += weights[i];
    sweep({.columns = {.list = nullptr, .count = n_cols}, .n_vectors = 1, .vectors = &weights, .out = &out}, threads);
    for (Index j = 0; j < n_cols; ++j) out[j] /= total;
    return 1.0;
  }

  void add_kernel(const double* factor, double* out) const override {
    Vector cross(static_cast<std::size_t>(n_rows), 0.0);
    double constant = 0.0;
    std::vector<std::pair<Index, double>> entries;
    for (Index j = 0; j < n_cols; ++j) {
      const double square = factor[j] * factor[j];
      const double e = stored_centre(j);
      constant += square * e * e;
      entries.clear();
      visit_entries(j, [&](Index i, double x) { entries.emplace_back(i, x); });
      for (auto a = entries.begin(); a != entries.end(); ++a) {
        const double scaled = square * a->second;
        cross[a->first] += e * scaled;
        double* target = out + a->first * n_rows;
        for (auto b = entries.begin(); b <= a; ++b) target[b->first] += scaled * b->second;
      }
    }
    for (Index b = 0; b < n_rows; ++b) {
      for (Index a = 0; a <= b; ++a) out[b * n_rows + a] += constant - cross[a] - cross[b];
    }
  }

 private:
  const T* values(Index j) const { return data_ + indptr_[j]; }
  const std::int32_t* rows(Index j) const { return indices_ + indptr_[j]; }

  template <class Visit>
  void visit_entries(Index j, const Visit& visit) const {
    const double c = origin(j);
    for (Index e = indptr_[j]; e < indptr_[j + 1]; ++e) visit(indices_[e], static_cast<double>(data_[e]) - c);
  }

  // of the rows begin .. begin + count, counted from there, as stored
  template <class Visit>
  void visit_rows(Index j, Index begin, Index count, const Visit& visit) const {
    const std::int32_t* const end = rows(j) + n_entries(j);
    const auto last = static_cast<std::int32_t>(begin + count);
    for (const auto* row = std::lower_bound(rows(j), end, static_cast<std::int32_t>(begin)); row != end && *row < last;
         ++row) {
      visit(*row - begin, static_cast<double>(data_[row - indices_]));
    }
  }

  template <class Visit>
  void for_each_member(const RowGroups& groups, const Visit& visit) const {
    for (Index j = 0; j < n_cols; ++j) {
      visit_entries(j, [&](Index i, double x) {
        if (groups.group[i] >= 0) visit(j, i, x);
      });
    }
  }

  // from sums of stored entries to sums about the centre
  void centre_sums(RowMoments& sum, const double* total, std::size_t n_targets) const {
    const Vector raw(sum.products.begin(), sum.products.begin() + n_cols);
    for (Index b = 0; b < n_cols; ++b) {
      const double cb = stored_centre(b);
      double* target = sum.gram.data() + b * n_cols;
      for (Index a = 0; a <= b; ++a) {
        const double ca = stored_centre(a);
        target[a] += ca * cb * total[0] - ca * raw[b] - cb * raw[a];
      }
      for (std::size_t v = 0; v <= n_targets; ++v) sum.products[v * n_cols + b] -= cb * total[v];
    }
  }

  void interleave(const Sweep& s, Index first, Index last, double* rows) const {
    const Index count = std::min(kernels::group, last - first);
    for (Index i = 0; i < n_rows; ++i) {
      for (Index k = 0; k < kernels::group; ++k)
        rows[i * kernels::group + k] = k < count ? s.vectors[first + k][i] : 0.0;
    }
  }

  void multiply_group(const Sweep& s, Index begin, Index end, const double* rows, Index first, Index last,
                      const Vector& totals) const {
    double sums[kernels::group];
    for (Index at = begin; at < end; ++at) {
      const Index j = s.columns[at];
      kernels::gather_group(values(j), this->rows(j), n_entries(j), origin(j), rows, sums);
      for (Index k = first; k < last; ++k) s.out[k][at] = sums[k - first] - stored_centre(j) * totals[k];
    }
  }

  // Boundaries of blocks of columns with about as many entries each. A block reads the rows of a group once over, so
  // it should not be small beside them.
  std::vector<Index> cut(Columns columns) const {
    Index total = 0;
    for (Index at = 0; at < columns.count; ++at) total += n_entries(columns[at]);
    const Index wanted = std::clamp<Index>(total / 16, 32'768, std::max<Index>(32'768, 16 * n_rows));
    std::vector<Index> blocks = {0};
    Index entries = 0;
    for (Index at = 0; at < columns.count; ++at) {
      entries += n_entries(columns[at]) + 1;
      if (entries < wanted && at + 1 < columns.count) continue;
      blocks.push_back(at + 1);
      entries = 0;
    }
    return blocks;
  }

  const T* data_;
  const std::int32_t* indices_;
};

}  // namespace

template <class T>
std::unique_ptr<Design> csc_design(const T* data, const std::int32_t* indices, const std::int64_t* indptr, Index n_rows,
                                   Index n_cols) {
  return std::make_unique<Csc<T>>(data, indices, indptr, n_rows, n_cols);
}
template std::unique_ptr<Design> csc_design(const double*, const std::int32_t*, const std::int64_t*, Index, Index);
template std::unique_ptr<Design> csc_design(const float*, const std::int32_t*, const std::int64_t*, Index, Index);

}  // namespace normball
