// Rows of a dense design on their way into sums over groups: packed so that BLAS meets each group in one call.
#pragma once

#include <algorithm>
#include <cmath>

#include "design/design.hpp"
#include "kernels/kernels.hpp"

namespace normball {

// Some rows sorted by group, multiplied by the root of their weight and centred, with what they are multiplied by.
struct RowBlock {
  const RowGroups& groups;
  Index n_columns;
  Index stride;                 // rows of the buffer; not a power of 2, which caches dislike
  Vector buffer;                // column-major as X is, or row-major
  std::vector<Vector> vectors;  // root of the weight, then times each target
  std::vector<Index> start;     // of each group in the buffer
  std::vector<Index> place;     // of each row in the buffer
  const Index* rows = nullptr;
  Index count = 0;

  RowBlock(const RowGroups& of, Index length, Index width)
      : groups(of),
        n_columns(width),
        stride(length + 8),
        buffer(static_cast<std::size_t>(stride * width)),
        vectors(1 + of.targets.size(), Vector(static_cast<std::size_t>(length))),
        place(static_cast<std::size_t>(length)) {}

  void take(const Index* list, Index n_taken) {
    rows = list;
    count = n_taken;
    start.assign(static_cast<std::size_t>(groups.count) + 1, 0);
    for (Index r = 0; r < count; ++r) ++start[groups.group[rows[r]] + 1];
    for (std::size_t g = 1; g < start.size(); ++g) start[g] += start[g - 1];
    std::vector<Index> next = start;
    for (Index r = 0; r < count; ++r) {
      const Index i = rows[r];
      place[r] = next[groups.group[i]]++;
      const double root = std::sqrt(groups.d[i]);
      vectors[0][place[r]] = root;
      for (std::size_t t = 0; t < groups.targets.size(); ++t) vectors[t + 1][place[r]] = root * groups.targets[t][i];
    }
  }

  bool in_order() const { return groups.count == 1 && rows[count - 1] - rows[0] == count - 1; }

  // of a column-major buffer, while the column is still in the cache
  void add_column_products(Index j, std::vector<RowMoments>& sums) const {
    for (std::size_t g = 0; g < sums.size(); ++g) {
      const double* x = buffer.data() + j * stride + start[g];
      for (std::size_t v = 0; v < vectors.size(); ++v) {
        sums[g].products[v * n_columns + j] +=
            kernels::dot(x, 0.0, vectors[v].data() + start[g], start[g + 1] - start[g]);
      }
    }
  }

  // of the rows of a row-major buffer from `begin` on
  void add_row_products(Index begin, Index n_added, double* products) const {
    for (Index first = 0; first < n_added; first += 4) {
      const double* row[4];
      for (Index r = 0; r < 4; ++r) row[r] = buffer.data() + (begin + std::min(first + r, n_added - 1)) * n_columns;
      for (std::size_t v = 0; v < vectors.size(); ++v) {
        double a[4] = {};
        for (Index r = first; r < std::min(first + 4, n_added); ++r) a[r - first] = vectors[v][begin + r];
        kernels::axpy4(a, row, products + static_cast<Index>(v) * n_columns, n_columns);
      }
    }
  }
};

}  // namespace normball
