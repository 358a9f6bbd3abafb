// The loops over rows that every formula of a loss shares, as many rows at a time as stand in a register.
#pragma once

#include <algorithm>

#include "core/cpu.hpp"
#include "kernels/simd.hpp"
#include "losses/rows.hpp"

namespace normball {

template <class Real>
struct Terms {
  Real value;  // f less what depends on y alone
  Real residual;
  Real curvature;
};

// its second derivative jumps, and is 0 on some pieces
template <class F>
concept IsPiecewise =
    requires(const F& formula, const Terms<double>& terms, double& out) { formula.majorise(terms, out); };

namespace row_loops {

template <class F, class V>
NORMBALL_INLINE void take(const F& formula, const Rows& rows, Index i, V& y, V& w, Terms<V>& terms) {
  V eta;
  simd::load(rows.y + i, y);
  simd::load(rows.weights + i, w);
  simd::load(rows.eta + i, eta);
  formula.terms(y, eta, terms);
}

template <class F, class V>
NORMBALL_INLINE void add_some(const F& formula, const Rows& rows, Index i, V (&sums)[4]) {
  V y;
  V w;
  Terms<V> terms;
  take(formula, rows, i, y, w, terms);
  const auto counts = w > 0.0;
  const V residual = counts ? w * terms.residual : V{};
  const V square = counts ? residual * terms.residual : V{};
  V step = terms.curvature;
  if constexpr (IsPiecewise<F>) {
    if (rows.majorises) formula.majorise(terms, step);
  }
  const V curvature = step < rows.least_curvature ? V{} + rows.least_curvature : step;
  const V divisor = terms.curvature < 1e-300 ? V{} + 1e-300 : terms.curvature;
  sums[0] += counts ? w * terms.value : V{};
  sums[1] += residual;
  sums[2] += square / divisor;
  sums[3] += square;
  if (rows.residual != nullptr) simd::store(residual, rows.residual + i);
  if (rows.curvature != nullptr) simd::store(counts ? w * curvature : V{}, rows.curvature + i);
}

// what is left over at the end, filled up with rows of weight 0
template <class F, class V>
NORMBALL_INLINE void add_rest(const F& formula, const Rows& rows, Index begin, V (&sums)[4]) {
  double buffer[5][simd::width<V>] = {};
  const Index count = rows.count - begin;
  std::copy_n(rows.y + begin, count, buffer[0]);
  std::copy_n(rows.weights + begin, count, buffer[1]);
  std::copy_n(rows.eta + begin, count, buffer[2]);
  add_some(formula,
           {.count = simd::width<V>,
            .y = buffer[0],
            .weights = buffer[1],
            .eta = buffer[2],
            .residual = buffer[3],
            .curvature = buffer[4],
            .least_curvature = rows.least_curvature,
            .majorises = rows.majorises},
           0, sums);
  if (rows.residual != nullptr) std::copy_n(buffer[3], count, rows.residual + begin);
  if (rows.curvature != nullptr) std::copy_n(buffer[4], count, rows.curvature + begin);
}

template <class F, int Bytes>
NORMBALL_INLINE void add_rows(const F& formula, const Rows& rows, RowSums& out) {
  using V = simd::Lanes<Bytes>;
  V sums[4] = {};
  Index i = 0;
  for (; i + simd::width<V> <= rows.count; i += simd::width<V>) add_some(formula, rows, i, sums);
  if (i < rows.count) add_rest(formula, rows, i, sums);
  out = {.loss = simd::total(sums[0]),
         .residual = simd::total(sums[1]),
         .pearson = simd::total(sums[2]),
         .squares = simd::total(sums[3])};
}

template <class F, class V>
NORMBALL_INLINE void add_some_dual(const F& formula, const Rows& rows, double* dual, Index i, V (&sums)[5]) {
  V y;
  V w;
  V u;
  V nearest;
  V kept;
  Terms<V> terms;
  take(formula, rows, i, y, w, terms);
  simd::load(dual + i, kept);
  const auto counts = w > 0.0;
  u = counts ? kept / w : terms.residual;
  formula.nearest(y, terms, u, nearest);
  const auto moves = counts && u != nearest;
  u = moves ? nearest : u;
  simd::store(moves ? w * u : kept, dual + i);
  const V divisor = terms.curvature < 1e-300 ? V{} + 1e-300 : terms.curvature;
  const V apart = (u - terms.residual) * (u - terms.residual);
  sums[0] += counts ? w * (apart / divisor) : V{};
  sums[1] += counts ? w * u * u / divisor : V{};
  sums[2] += counts ? w * apart : V{};
  sums[3] += counts ? w * u : V{};
  sums[4] += moves ? V{} + 1.0 : V{};
}

template <class F, int Bytes>
NORMBALL_INLINE void add_dual_rows(const F& formula, const Rows& rows, double* dual, DualSums& out) {
  using V = simd::Lanes<Bytes>;
  V sums[5] = {};
  Index i = 0;
  for (; i + simd::width<V> <= rows.count; i += simd::width<V>) add_some_dual(formula, rows, dual, i, sums);
  if (i < rows.count) {  // filled up with rows of weight 0
    double buffer[4][simd::width<V>] = {};
    std::copy(rows.y + i, rows.y + rows.count, buffer[0]);
    std::copy(rows.weights + i, rows.weights + rows.count, buffer[1]);
    std::copy(rows.eta + i, rows.eta + rows.count, buffer[2]);
    std::copy(dual + i, dual + rows.count, buffer[3]);
    add_some_dual(formula, {.count = simd::width<V>, .y = buffer[0], .weights = buffer[1], .eta = buffer[2]}, buffer[3],
                  0, sums);
    std::copy_n(buffer[3], rows.count - i, dual + i);
  }
  out = {.dual_pearson = simd::total(sums[0]),
         .pearson = simd::total(sums[1]),
         .distance = simd::total(sums[2]),
         .total = simd::total(sums[3]),
         .n_clipped = simd::total(sums[4])};
}

}  // namespace row_loops

template <class F>
RowSums row_sums(const F& formula, const Rows& rows) {
  RowSums sums;
  using row_loops::add_rows;
  cpu::PerCpu<add_rows<F, 64>, add_rows<F, 32>, add_rows<F, 16>>::run(formula, rows, sums);
  return sums;
}

template <class F>
DualSums dual_sums(const F& formula, const Rows& rows, double* dual) {
  DualSums sums;
  using row_loops::add_dual_rows;
  cpu::PerCpu<add_dual_rows<F, 64>, add_dual_rows<F, 32>, add_dual_rows<F, 16>>::run(formula, rows, dual, sums);
  return sums;
}

}  // namespace normball
