// The loops over rows that every formula of a loss shares, eight rows at a time.
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

using simd::Lanes;

template <class F>
NORMBALL_INLINE void take(const F& formula, const Rows& rows, Index i, Lanes& y, Lanes& w, Terms<Lanes>& terms) {
  Lanes eta;
  simd::load(rows.y + i, y);
  simd::load(rows.weights + i, w);
  simd::load(rows.eta + i, eta);
  formula.terms(y, eta, terms);
}

template <class F>
NORMBALL_INLINE void add_eight(const F& formula, const Rows& rows, Index i, Lanes (&sums)[4]) {
  Lanes y;
  Lanes w;
  Terms<Lanes> terms;
  take(formula, rows, i, y, w, terms);
  const auto counts = w > 0.0;
  const Lanes residual = counts ? w * terms.residual : Lanes{};
  const Lanes square = counts ? residual * terms.residual : Lanes{};
  Lanes step = terms.curvature;
  if constexpr (IsPiecewise<F>) {
    if (rows.majorises) formula.majorise(terms, step);
  }
  const Lanes curvature = step < rows.least_curvature ? Lanes{} + rows.least_curvature : step;
  const Lanes divisor = terms.curvature < 1e-300 ? Lanes{} + 1e-300 : terms.curvature;
  sums[0] += counts ? w * terms.value : Lanes{};
  sums[1] += residual;
  sums[2] += square / divisor;
  sums[3] += square;
  if (rows.residual != nullptr) simd::store(residual, rows.residual + i);
  if (rows.curvature != nullptr) simd::store(counts ? w * curvature : Lanes{}, rows.curvature + i);
}

// what is left over at the end, filled up with rows of weight 0
template <class F>
NORMBALL_INLINE void add_rest(const F& formula, const Rows& rows, Index begin, Lanes (&sums)[4]) {
  double buffer[5][simd::width] = {};
  const Index count = rows.count - begin;
  std::copy_n(rows.y + begin, count, buffer[0]);
  std::copy_n(rows.weights + begin, count, buffer[1]);
  std::copy_n(rows.eta + begin, count, buffer[2]);
  add_eight(formula,
            {.count = simd::width,
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

template <class F>
NORMBALL_INLINE void add_rows(const F& formula, const Rows& rows, RowSums& out) {
  Lanes sums[4] = {};
  Index i = 0;
  for (; i + simd::width <= rows.count; i += simd::width) add_eight(formula, rows, i, sums);
  if (i < rows.count) add_rest(formula, rows, i, sums);
  out = {.loss = simd::total(sums[0]),
         .residual = simd::total(sums[1]),
         .pearson = simd::total(sums[2]),
         .squares = simd::total(sums[3])};
}

template <class F>
NORMBALL_INLINE void add_dual_eight(const F& formula, const Rows& rows, double* dual, Index i, Lanes (&sums)[5]) {
  Lanes y;
  Lanes w;
  Lanes u;
  Lanes nearest;
  Lanes kept;
  Terms<Lanes> terms;
  take(formula, rows, i, y, w, terms);
  simd::load(dual + i, kept);
  const auto counts = w > 0.0;
  u = counts ? kept / w : terms.residual;
  formula.nearest(y, terms, u, nearest);
  const auto moves = counts && u != nearest;
  u = moves ? nearest : u;
  simd::store(moves ? w * u : kept, dual + i);
  const Lanes divisor = terms.curvature < 1e-300 ? Lanes{} + 1e-300 : terms.curvature;
  const Lanes apart = (u - terms.residual) * (u - terms.residual);
  sums[0] += counts ? w * (apart / divisor) : Lanes{};
  sums[1] += counts ? w * u * u / divisor : Lanes{};
  sums[2] += counts ? w * apart : Lanes{};
  sums[3] += counts ? w * u : Lanes{};
  sums[4] += moves ? Lanes{} + 1.0 : Lanes{};
}

template <class F>
NORMBALL_INLINE void add_dual_rows(const F& formula, const Rows& rows, double* dual, DualSums& out) {
  Lanes sums[5] = {};
  Index i = 0;
  for (; i + simd::width <= rows.count; i += simd::width) add_dual_eight(formula, rows, dual, i, sums);
  if (i < rows.count) {  // filled up with rows of weight 0
    double buffer[4][simd::width] = {};
    std::copy(rows.y + i, rows.y + rows.count, buffer[0]);
    std::copy(rows.weights + i, rows.weights + rows.count, buffer[1]);
    std::copy(rows.eta + i, rows.eta + rows.count, buffer[2]);
    std::copy(dual + i, dual + rows.count, buffer[3]);
    add_dual_eight(formula, {.count = simd::width, .y = buffer[0], .weights = buffer[1], .eta = buffer[2]}, buffer[3],
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
  cpu::PerCpu<row_loops::add_rows<F>>::run(formula, rows, sums);
  return sums;
}

template <class F>
DualSums dual_sums(const F& formula, const Rows& rows, double* dual) {
  DualSums sums;
  cpu::PerCpu<row_loops::add_dual_rows<F>>::run(formula, rows, dual, sums);
  return sums;
}

}  // namespace normball
