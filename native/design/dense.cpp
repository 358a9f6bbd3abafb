#include "design/dense.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/blas.hpp"
#include "design/row_block.hpp"

namespace normball {
namespace {

template <class T, bool RowMajor>
class Dense final : public DenseDesign {
 public:
  Dense(const T* data, Index n_rows, Index n_cols)
      : DenseDesign(n_rows, n_cols, std::numeric_limits<T>::epsilon(), 1e-24, nullptr), data_(data) {}

  std::unique_ptr<Design> about(const double* other_centre) const override {
    auto other = std::make_unique<Dense>(*this);
    other->centre = other_centre;
    return other;
  }

  void dot(Index j, const double* v, double* out) const override {
    *out = 0.0;
    for (Index i = 0; i < n_rows; ++i) *out += at(i, j) * v[i];
  }
  void add(Index j, const double* a, const double* d, double* out) const override {
    for (Index i = 0; i < n_rows; ++i) out[i] += *a * (d == nullptr ? 1.0 : d[i]) * at(i, j);
  }
  void weighted_sums(Index j, const double* d, double* sum, double* square) const override {
    *sum = *square = 0.0;
    for (Index i = 0; i < n_rows; ++i) {
      const double x = at(i, j);
      *sum += d[i] * x;
      *square += d[i] * x * x;
    }
  }
  void read(Index j, Index first, Index count, Index* rows, double* values) const override {
    for (Index e = 0; e < count; ++e) {
      rows[e] = first + e;
      values[e] = stored(first + e, j);
    }
  }
  void take_rows(const std::vector<std::int32_t>& columns, const std::int64_t* rows, Index begin, Index count,
                 double* out) const override {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      for (Index r = 0; r < count; ++r) {
        out[static_cast<std::size_t>(r) * columns.size() + c] =
            at(rows == nullptr ? begin + r : rows[begin + r], columns[c]);
      }
    }
  }

  void sweep(const Sweep& s, Threads& threads) const override { sweep_power<false>(s, threads); }
  void sweep_squares(const Sweep& s, Threads& threads) const override { sweep_power<true>(s, threads); }

  void times(Columns columns, const double* coef, double* out, Threads& threads) const override {
    threads.parallel_for(blocks(n_rows, row_block), [&](Index block) {
      const Index begin = block * row_block;
      const Index end = std::min(n_rows, begin + row_block);
      if constexpr (RowMajor) {
        for (Index i = begin; i < end; ++i) {
          double sum = 0.0;
          for (Index c = 0; c < columns.count; ++c) sum += coef[c] * at(i, columns[c]);
          out[i] += sum;
        }
      } else {
        for (Index c = 0; c < columns.count; ++c) {
          if (coef[c] == 0.0) continue;
          const Index j = columns[c];
          kernels::axpy(coef[c], column(j) + begin, centre[j], out + begin, end - begin);
        }
      }
    });
  }

  // all columns, in the order of the list, of the rows begin .. begin + count, column-major
  void pack_rows(const Columns& columns, Index begin, Index count, double* out, Index stride) const override {
    if constexpr (RowMajor) {
      constexpr Index at_once = 8;  // rows whose columns then stand side by side in one cache line
      for (Index r = 0; r < count; r += at_once) {
        const Index end = std::min(count, r + at_once);
        for (Index a = 0; a < columns.count; ++a) {
          for (Index i = r; i < end; ++i) out[a * stride + i] = at(begin + i, columns[a]);
        }
      }
    } else {
      constexpr Index ahead = 4;  // runs of a block's rows are too short for the CPU to foresee the next column's
      for (Index a = 0; a < columns.count; ++a) {
        const T* next = column(columns[std::min(a + ahead, columns.count - 1)]);
        kernels::shift(column(columns[a]) + begin, next + begin, centre[columns[a]], out + a * stride, count);
      }
    }
  }

  // Rows with weight go block by block into a small buffer that stays in cache, and BLAS does the rest. The number
  // of accumulators depends on the problem's size alone, so the sum is the same for any number of threads.
  void add_gram(const Gram& gram, Threads& threads) const override {
    const Index m = gram.columns.count;
    const Index fresh = m - gram.first_new;
    std::vector<Index> rows;
    for (Index i = 0; i < n_rows; ++i) {
      if (gram.d[i] > 0.0) rows.push_back(i);
    }
    const auto n_used = static_cast<Index>(rows.size());
    const Index parts =
        std::clamp<Index>(std::min(n_used / (8 * gram_block), Index{8'000'000} / (m * fresh + 1)), 1, 16);
    std::vector<Vector> totals(static_cast<std::size_t>(parts));
    threads.parallel_for(parts, [&](Index part) {
      Vector& total = totals[part];
      total.assign(static_cast<std::size_t>(m * fresh + m), 0.0);
      Vector buffer(static_cast<std::size_t>(m * gram_block));
      Vector root(static_cast<std::size_t>(gram_block));
      const Index end = n_used * (part + 1) / parts;
      for (Index begin = n_used * part / parts; begin < end; begin += gram_block) {
        const Index count = std::min(gram_block, end - begin);
        pack(gram, rows.data() + begin, count, root.data(), buffer.data());
        const double* joined = buffer.data() + gram.first_new * gram_block;
        linalg::add_at_b(gram.first_new, fresh, count, buffer.data(), gram_block, joined, gram_block, total.data(), m);
        linalg::add_at_a(fresh, count, 1.0, joined, gram_block, total.data() + gram.first_new, m);
        for (Index a = 0; a < m; ++a) {
          total[m * fresh + a] += kernels::dot(buffer.data() + a * gram_block, 0.0, root.data(), count);
        }
      }
    });
    for (const Vector& total : totals) {
      for (Index b = 0; b < fresh; ++b) {
        double* target = gram.out + (gram.first_new + b) * gram.stride;
        for (Index a = 0; a <= gram.first_new + b; ++a) target[a] += total[b * m + a];
      }
      for (Index a = 0; a < m; ++a) gram.sums[a] += total[m * fresh + a];
    }
  }

  // One read of the rows, block by block. Within a block the rows of a group stand side by side, so that each group's
  // share is one BLAS call; a group's share must be long enough to pay for touching that group's sums.
  std::vector<RowMoments> moments(const RowGroups& groups, Threads& threads) const override {
    const std::vector<Index> rows = groups.members();
    const auto n_used = static_cast<Index>(rows.size());
    const Index wanted = groups.count == 1 ? gram_block : 2 * gram_block * groups.count;
    const Index length = std::max(gram_block, std::min(wanted, n_used / 16));
    const Index n_sums = groups.count * n_cols * n_cols;
    const Index parts = std::clamp<Index>(std::min(n_used / (8 * length), Index{8'000'000} / (n_sums + 1)), 1, 8);
    std::vector<std::vector<RowMoments>> sums(static_cast<std::size_t>(parts));
    threads.parallel_for(parts, [&](Index part) {
      sums[part].assign(static_cast<std::size_t>(groups.count), RowMoments(n_cols, groups.targets.size()));
      RowBlock block(groups, std::min(length, n_used), n_cols);
      const Index end = n_used * (part + 1) / parts;
      for (Index begin = n_used * part / parts; begin < end; begin += length) {
        block.take(rows.data() + begin, std::min(length, end - begin));
        add_block(block, sums[part]);
      }
    });
    for (std::size_t part = 1; part < sums.size(); ++part) {
      for (std::size_t g = 0; g < sums[0].size(); ++g) sums[0][g].add(sums[part][g], 1.0);
    }
    return std::move(sums[0]);
  }

  // the means of some rows all over the matrix, so that drifting and sorted data do no harm
  double guess_centre(const double* weights, double* out, Threads& /*threads*/) const override {
    constexpr Index wanted = 64;
    std::vector<Index> rows;
    for (Index s = 0; s < wanted; ++s) {
      Index i = s * n_rows / wanted;
      while (i < n_rows && weights[i] == 0.0) ++i;
      if (i < n_rows && (rows.empty() || rows.back() < i)) rows.push_back(i);
    }
    if (rows.empty()) return 0.0;
    for (Index j = 0; j < n_cols; ++j) {
      const double first = at(rows[0], j);
      double sum = 0.0;
      for (const Index i : rows) sum += at(i, j) - first;
      out[j] = first + sum / static_cast<double>(rows.size());  // exact for a constant column
    }
    return 0.0;
  }

  void add_kernel(const double* factor, double* out) const override {
    Vector buffer(static_cast<std::size_t>(n_rows * gram_block));
    Vector factors(static_cast<std::size_t>(n_rows));
    for (Index begin = 0; begin < n_cols; begin += gram_block) {
      const Index count = std::min(gram_block, n_cols - begin);
      if constexpr (RowMajor) {
        for (Index i = 0; i < n_rows; ++i) {
          double* to = buffer.data() + i * gram_block;
          for (Index c = 0; c < count; ++c) to[c] = factor[begin + c] * at(i, begin + c);
        }
        linalg::add_at_a(n_rows, count, 1.0, buffer.data(), gram_block, out, n_rows);
      } else {
        for (Index c = 0; c < count; ++c) {
          const Index j = begin + c;
          std::fill_n(factors.begin(), n_rows, factor[j]);
          kernels::centre(column(j), centre[j], factors.data(), buffer.data() + c * n_rows, n_rows);
        }
        linalg::add_a_at(n_rows, count, 1.0, buffer.data(), n_rows, out, n_rows);
      }
    }
  }

 private:
  double stored(Index i, Index j) const {
    return static_cast<double>(RowMajor ? data_[i * n_cols + j] : data_[j * n_rows + i]);
  }
  double at(Index i, Index j) const { return stored(i, j) - centre[j]; }
  static constexpr Index row_block = 4096;
  static constexpr Index column_block = 256;
  static constexpr Index gram_block = 256;
  static constexpr Index many_vectors = 16;  // from here on BLAS makes up for centring a block of columns first

  static Index blocks(Index count, Index size) { return (count + size - 1) / size; }
  const T* column(Index j) const { return data_ + j * n_rows; }

  void add_block(RowBlock& block, std::vector<RowMoments>& sums) const {
    if constexpr (RowMajor) {
      for (Index r = 0; r < block.count; ++r) {
        const double root = block.vectors[0][block.place[r]];
        const T* x = data_ + block.rows[r] * n_cols;
        double* to = block.buffer.data() + block.place[r] * n_cols;
        for (Index j = 0; j < n_cols; ++j) to[j] = root * (static_cast<double>(x[j]) - centre[j]);
      }
    } else {
      for (Index j = 0; j < n_cols; ++j) {
        pack_column(block, j);
        block.add_column_products(j, sums);
      }
    }
    for (std::size_t g = 0; g < sums.size(); ++g) {
      const Index begin = block.start[g];
      const Index count = block.start[g + 1] - begin;
      if (count == 0) continue;
      if constexpr (RowMajor) {
        block.add_row_products(begin, count, sums[g].products.data());
        linalg::add_a_at(n_cols, count, 1.0, block.buffer.data() + begin * n_cols, n_cols, sums[g].gram.data(), n_cols);
      } else {
        linalg::add_at_a(n_cols, count, 1.0, block.buffer.data() + begin, block.stride, sums[g].gram.data(), n_cols);
      }
    }
  }

  void pack_column(RowBlock& block, Index j) const {
    const T* x = column(j);
    const double c = centre[j];
    const double* root = block.vectors[0].data();
    double* to = block.buffer.data() + j * block.stride;
    if (block.in_order()) {
      kernels::centre(x + block.rows[0], c, root, to, block.count);
    } else {
      for (Index r = 0; r < block.count; ++r) {
        const Index place = block.place[r];
        to[place] = root[place] * (static_cast<double>(x[block.rows[r]]) - c);
      }
    }
  }

  void pack(const Gram& gram, const Index* rows, Index count, double* root, double* buffer) const {
    for (Index r = 0; r < count; ++r) root[r] = std::sqrt(gram.d[rows[r]]);
    if constexpr (RowMajor) {
      for (Index r = 0; r < count; ++r) {
        for (Index a = 0; a < gram.columns.count; ++a)
          buffer[a * gram_block + r] = root[r] * at(rows[r], gram.columns[a]);
      }
    } else {
      for (Index a = 0; a < gram.columns.count; ++a) {
        const T* x = column(gram.columns[a]);
        const double c = centre[gram.columns[a]];
        for (Index r = 0; r < count; ++r) buffer[a * gram_block + r] = root[r] * (static_cast<double>(x[rows[r]]) - c);
      }
    }
  }

  template <bool Squared>
  void sweep_power(const Sweep& s, Threads& threads) const {
    threads.parallel_for(blocks(s.columns.count, column_block), [&](Index block) {
      const Index begin = block * column_block;
      const Index end = std::min(s.columns.count, begin + column_block);
      for (Index k = 0; k < s.n_vectors; ++k) std::fill(s.out[k] + begin, s.out[k] + end, 0.0);
      if constexpr (!RowMajor) {
        Squared ? square_columns(s, begin, end) : sweep_quads(s, begin, end);
      } else if (!Squared && s.n_vectors >= many_vectors) {
        sweep_blocks(s, begin, end);
      } else {
        sweep_rows<Squared>(s, begin, end);
      }
    });
  }

  // Few rows of many vectors at a time, so that they stay in cache while four columns after four meet them.
  void sweep_quads(const Sweep& s, Index begin, Index end) const {
    constexpr Index rows_at_once = 256;
    std::vector<const double*> vectors(static_cast<std::size_t>(s.n_vectors));
    std::vector<std::array<double, 4>> sums(static_cast<std::size_t>(s.n_vectors));
    for (Index first = 0; first < n_rows; first += rows_at_once) {
      const Index count = std::min(rows_at_once, n_rows - first);
      for (Index k = 0; k < s.n_vectors; ++k) vectors[k] = s.vectors[k] + first;
      for (Index i = begin; i < end; i += 4) {
        const T* x[4];
        const T* next[4];
        double c[4];
        for (Index q = 0; q < 4; ++q) {
          const Index j = s.columns[std::min(i + q, end - 1)];
          x[q] = column(j) + first;
          c[q] = centre[j];
          next[q] = column(s.columns[std::min(i + q + 4, end - 1)]) + first;
        }
        std::ranges::fill(sums, std::array<double, 4>{});
        kernels::products4(x, next, c, vectors.data(), s.n_vectors, count,
                           reinterpret_cast<double (*)[4]>(sums.data()));
        for (Index k = 0; k < s.n_vectors; ++k) {
          for (Index q = 0; q < std::min<Index>(4, end - i); ++q) s.out[k][i + q] += sums[k][q];
        }
      }
    }
  }

  // Many vectors: a block of rows is centred into a buffer that stays in cache, and BLAS multiplies it.
  void sweep_blocks(const Sweep& s, Index begin, Index end) const {
    const Index width = end - begin;
    Vector entries(static_cast<std::size_t>(width * gram_block));
    Vector vectors(static_cast<std::size_t>(s.n_vectors * gram_block));
    Vector sums(static_cast<std::size_t>(s.n_vectors * width), 0.0);
    for (Index first = 0; first < n_rows; first += gram_block) {
      const Index count = std::min(gram_block, n_rows - first);
      for (Index k = 0; k < s.n_vectors; ++k) std::copy_n(s.vectors[k] + first, count, vectors.data() + k * gram_block);
      for (Index r = 0; r < count; ++r) {
        double* row = entries.data() + r * width;
        for (Index c = 0; c < width; ++c) row[c] = at(first + r, s.columns[begin + c]);
      }
      linalg::add_a_b(width, s.n_vectors, count, entries.data(), width, vectors.data(), gram_block, sums.data(), width);
    }
    for (Index k = 0; k < s.n_vectors; ++k) std::copy_n(sums.data() + k * width, width, s.out[k] + begin);
  }

  void square_columns(const Sweep& s, Index begin, Index end) const {
    std::vector<const double*> vectors(static_cast<std::size_t>(s.n_vectors));
    Vector sums(static_cast<std::size_t>(s.n_vectors));
    const Index rows_at_once = s.n_vectors == 1 ? n_rows : row_block;  // many vectors: keep their block in cache
    for (Index first = 0; first < n_rows; first += rows_at_once) {
      const Index count = std::min(rows_at_once, n_rows - first);
      for (Index k = 0; k < s.n_vectors; ++k) vectors[k] = s.vectors[k] + first;
      for (Index i = begin; i < end; ++i) {
        const Index j = s.columns[i];
        std::ranges::fill(sums, 0.0);
        kernels::squares(column(j) + first, centre[j], vectors.data(), s.n_vectors, count, sums.data());
        for (Index k = 0; k < s.n_vectors; ++k) s.out[k][i] += sums[k];
      }
    }
  }

  template <bool Squared>
  void sweep_rows(const Sweep& s, Index begin, Index end) const {
    const Index width = end - begin;
    Vector rows(static_cast<std::size_t>(4 * width));
    const double* row[4] = {rows.data(), rows.data() + width, rows.data() + 2 * width, rows.data() + 3 * width};
    for (Index first = 0; first < n_rows; first += 4) {
      const Index count = std::min<Index>(4, n_rows - first);
      for (Index r = 0; r < count; ++r) {
        double* x = rows.data() + r * width;
        for (Index i = 0; i < width; ++i) x[i] = at(first + r, s.columns[begin + i]);
        if constexpr (Squared) {
          for (Index i = 0; i < width; ++i) x[i] *= x[i];
        }
      }
      for (Index k = 0; k < s.n_vectors; ++k) {
        double v[4] = {};
        for (Index r = 0; r < count; ++r) v[r] = s.vectors[k][first + r];
        if (v[0] == 0.0 && v[1] == 0.0 && v[2] == 0.0 && v[3] == 0.0) continue;
        kernels::axpy4(v, row, s.out[k] + begin, width);
      }
    }
  }

  const T* data_;
};

}  // namespace

template <class T>
std::unique_ptr<Design> dense_design(const T* data, Index n_rows, Index n_cols, bool is_row_major) {
  if (is_row_major) return std::make_unique<Dense<T, true>>(data, n_rows, n_cols);
  return std::make_unique<Dense<T, false>>(data, n_rows, n_cols);
}
template std::unique_ptr<Design> dense_design(const double*, Index, Index, bool);
template std::unique_ptr<Design> dense_design(const float*, Index, Index, bool);

}  // namespace normball
