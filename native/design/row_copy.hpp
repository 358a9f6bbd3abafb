// The entries of some columns once more, row by row and in single precision, for vectors that stand side by side and
// are multiplied with these columns again and again. Rows are in order of their length: the loop over a row ends where
// the last one's did, which short rows would mispredict otherwise.
#pragma once

#include <cmath>

#include "design/design.hpp"

namespace normball {

struct RowCopy {
  std::vector<std::int32_t> rows;    // of the design, those with the most entries first; none without an entry
  std::vector<std::int64_t> begin;   // of a row's entries; one more at the end
  std::vector<std::int32_t> column;  // of each entry, by its place in the list
  std::vector<float> value;          // over the norm of its column
  Vector norms;                      // of the columns: sqrt(sum w x^2), as stored

  Index n_rows() const { return std::ssize(rows); }
  Index n_columns() const { return std::ssize(norms); }
  double n_entries() const { return static_cast<double>(value.size()); }
};

// of rows with weight
inline RowCopy copy_rows(const Design& design, const std::vector<Index>& columns, const Vector& weights) {
  RowCopy copy;
  std::vector<std::int32_t> length(weights.size(), 0);
  copy.norms.reserve(columns.size());
  for (const Index j : columns) {
    double square = 0.0;
    for_each_entry(design, j, [&](Index i, double x) {
      square += weights[i] * x * x;
      length[i] += weights[i] > 0.0 ? 1 : 0;
    });
    copy.norms.push_back(std::sqrt(square));
  }
  std::vector<std::vector<std::int32_t>> by_length;
  for (std::size_t i = 0; i < length.size(); ++i) {
    if (std::cmp_greater_equal(length[i], by_length.size())) by_length.resize(static_cast<std::size_t>(length[i]) + 1);
    by_length[length[i]].push_back(static_cast<std::int32_t>(i));
  }
  for (std::size_t n = by_length.size(); n-- > 1;) {
    copy.rows.insert(copy.rows.end(), by_length[n].begin(), by_length[n].end());
  }
  std::vector<std::int64_t> next(weights.size(), -1);
  copy.begin.push_back(0);
  for (const std::int32_t i : copy.rows) {
    next[i] = copy.begin.back();
    copy.begin.push_back(next[i] + length[i]);
  }
  copy.column.resize(static_cast<std::size_t>(copy.begin.back()));
  copy.value.resize(copy.column.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const double inverse = copy.norms[c] > 0.0 ? 1.0 / copy.norms[c] : 0.0;
    for_each_entry(design, columns[c], [&](Index i, double x) {
      if (next[i] < 0 || weights[i] == 0.0) return;
      copy.column[next[i]] = static_cast<std::int32_t>(c);
      copy.value[next[i]++] = static_cast<float>(x * inverse);
    });
  }
  return copy;
}

}  // namespace normball
