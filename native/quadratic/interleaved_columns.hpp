// Columns as several problems see them at once.
#pragma once

#include <algorithm>
#include <array>

#include "core/interleaved_array.hpp"
#include "problem/problem.hpp"

namespace normball {

template <Index W>
using Each = std::array<double, W>;
template <Index W>
using ProblemFlags = std::array<bool, W>;
template <std::size_t W>
bool any(const std::array<bool, W>& flags) {
  return std::ranges::any_of(flags, [](bool flag) { return flag; });
}
template <Index W>
using InterleavedColumn = InterleavedArray<double, W>;  // a number for each column and problem

// The columns that the problems share, and what each problem makes of them. Where a column is not in a problem's set
// its inverse scale is 0 there and its term holds it at zero.
template <Index W>
struct InterleavedColumns {
  std::vector<Index> list;
  InterleavedColumn<W> inverse_scale;
  InterleavedColumn<W> centre;    // of the stored column: the design's and the problem's own
  std::vector<ElasticNet> terms;  // one a column and problem

  Index size() const { return static_cast<Index>(list.size()); }
  const ElasticNet& term(Index s, Index k) const { return terms[s * W + k]; }
};

// What a model is made of: d and the gradient at b0, in every problem.
template <class T, Index W>
struct InterleavedQuadratic {
  const InterleavedArray<T, W>& d;
  const Each<W>& totals;  // of d
  const InterleavedColumn<W>& gradient;
  const Each<W>& residual_sums;
  const Each<W>& tolerance;
  const ProblemFlags<W>& open;
};

}  // namespace normball
