#pragma once

#include <algorithm>
#include <cmath>

#include "../blas.hpp"
#include "../kernels.hpp"
#include "design.hpp"

namespace normball {

template <class T, bool RowMajor>
struct Dense {
  const T* data = nullptr;
  Index n_rows = 0;
  Index n_cols = 0;
  const double* centre = nullptr;

  double at(Index i, Index j) const {
    return static_cast<double>(RowMajor ? data[i * n_cols + j] : data[j * n_rows + i]) - centre[j];
  }

  static constexpr double mean_noise = 1e-24;
  double stored_centre(Index /*j*/) const { return 0.0; }

  template <class Visit>
  void for_each_entry(Index j, const Visit& visit) const {
    for (Index i = 0; i < n_rows; ++i) visit(i, at(i, j));
  }

  void sweep(const Sweep& s, Threads& threads) const { sweep_power<false>(s, threads); }
  void sweep_squares(const Sweep& s, Threads& threads) const { sweep_power<true>(s, threads); }

  void times(Columns columns, const double* coef, double* out, Threads& threads) const {
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
  void pack_rows(const Columns& columns, Index begin, Index count, double* out, Index stride) const {
    if constexpr (RowMajor) {
      constexpr Index at_once = 8;  // rows whose columns then stand side by side in one cache line
      for (Index r = 0; r < count; r += at_once) {
        const Index end = std::min(count, r + at_once);
        for (Index a = 0; a < columns.count; ++a) {
          for (Index i = r; i < end; ++i) out[a * stride + i] = at(begin + i, columns[a]);
        }
      }
    } else {
      for (Index a = 0; a < columns.count; ++a) {
        const T* x = column(columns[a]) + begin;
        const double c = centre[columns[a]];
        for (Index r = 0; r < count; ++r) out[a * stride + r] = static_cast<double>(x[r]) - c;
      }
    }
  }

  // Rows with weight go block by block into a small buffer that stays in cache, and BLAS does the rest. The number
  // of accumulators depends on the problem's size alone, so the sum is the same for any number of threads.
  void add_gram(const Gram& gram, Threads& threads) const {
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
        if (gram.first_new == 0) {
          linalg::add_at_a(m, count, gram.sign, buffer.data(), gram_block, total.data(), m);
        } else {
          linalg::add_at_b(m, fresh, count, gram.sign, buffer.data(), gram_block,
                           buffer.data() + gram.first_new * gram_block, gram_block, total.data(), m);
        }
        for (Index a = 0; a < m; ++a) {
          total[m * fresh + a] += gram.sign * kernels::dot(buffer.data() + a * gram_block, 0.0, root.data(), count);
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

  void add_kernel(const double* factor, const double* shift, double* out) const {
    Vector buffer(static_cast<std::size_t>(n_rows * gram_block));  // columns of the block, one row of the buffer each
    for (Index begin = 0; begin < n_cols; begin += gram_block) {
      const Index count = std::min(gram_block, n_cols - begin);
      for (Index c = 0; c < count; ++c) {
        const Index j = begin + c;
        for (Index i = 0; i < n_rows; ++i) buffer[i * gram_block + c] = factor[j] * (at(i, j) - shift[j]);
      }
      linalg::add_at_a(n_rows, count, 1.0, buffer.data(), gram_block, out, n_rows);
    }
  }

 private:
  static constexpr Index row_block = 4096;
  static constexpr Index column_block = 256;
  static constexpr Index gram_block = 256;

  static Index blocks(Index count, Index size) { return (count + size - 1) / size; }
  const T* column(Index j) const { return data + j * n_rows; }

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
      if constexpr (RowMajor) {
        sweep_rows<Squared>(s, begin, end);
      } else {
        sweep_columns<Squared>(s, begin, end);
      }
    });
  }

  template <bool Squared>
  void sweep_columns(const Sweep& s, Index begin, Index end) const {
    std::vector<const double*> vectors(static_cast<std::size_t>(s.n_vectors));
    Vector sums(static_cast<std::size_t>(s.n_vectors));
    const Index rows_at_once = s.n_vectors == 1 ? n_rows : row_block;  // many vectors: keep their block in cache
    for (Index first = 0; first < n_rows; first += rows_at_once) {
      const Index count = std::min(rows_at_once, n_rows - first);
      for (Index k = 0; k < s.n_vectors; ++k) vectors[k] = s.vectors[k] + first;
      for (Index i = begin; i < end; ++i) {
        const Index j = s.columns[i];
        std::ranges::fill(sums, 0.0);
        if constexpr (Squared) {
          kernels::squares(column(j) + first, centre[j], vectors.data(), s.n_vectors, count, sums.data());
        } else {
          kernels::dots(column(j) + first, centre[j], vectors.data(), s.n_vectors, count, sums.data());
        }
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
};
static_assert(Design<Dense<double, false>> && Design<Dense<float, true>>);

}  // namespace normball
