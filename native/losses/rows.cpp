#include "losses/rows.hpp"

#include <algorithm>

#include "core/cpu.hpp"
#include "kernels/simd.hpp"

namespace normball {
namespace {

using cpu::PerCpu;
using simd::Lanes;

// one sample in every lane: f less what depends on y alone, f' and f''
struct Terms {
  Lanes value;
  Lanes residual;
  Lanes curvature;
};

struct SquaredErrorTerms {
  static NORMBALL_INLINE void at(const Lanes& y, const Lanes& eta, Terms& out) {
    out.residual = eta - y;
    out.value = 0.5 * out.residual * out.residual;
    out.curvature = Lanes{} + 1.0;
  }
};

struct LogisticTerms {
  static NORMBALL_INLINE void at(const Lanes& y, const Lanes& eta, Terms& out) {
    Lanes size;
    Lanes e;
    Lanes log;
    simd::abs(eta, size);
    simd::exp(-size, e);
    simd::log1p_unit(e, log);
    const Lanes larger = 1.0 / (1.0 + e);  // sigma(|eta|)
    const Lanes smaller = e * larger;      // sigma(-|eta|)
    const auto positive = eta >= 0.0;
    const Lanes up = positive ? larger : smaller;
    const Lanes down = positive ? smaller : larger;
    out.value = log + ((positive ? eta : Lanes{}) - y * eta);
    out.residual = (1.0 - y) * up - y * down;  // no cancellation where the fit is nearly perfect
    out.curvature = up * down;
  }
  static NORMBALL_INLINE void excess(const Lanes& y, const Lanes& u, Lanes& out) {  // > 0 beyond the domain of f*
    const Lanes above = u - (1.0 - y);
    const Lanes below = -u - y;
    out = above > below ? above : below;
  }
};

struct PoissonTerms {
  static NORMBALL_INLINE void at(const Lanes& y, const Lanes& eta, Terms& out) {
    simd::exp(eta, out.curvature);
    out.residual = out.curvature - y;
    out.value = out.curvature - y * eta;
  }
  static NORMBALL_INLINE void excess(const Lanes& y, const Lanes& u, Lanes& out) { out = -u - y; }
};

template <class Loss>
NORMBALL_INLINE void take(const Rows& rows, Index i, Lanes& y, Lanes& w, Terms& terms) {
  Lanes eta;
  simd::load(rows.y + i, y);
  simd::load(rows.weights + i, w);
  simd::load(rows.eta + i, eta);
  Loss::at(y, eta, terms);
}

template <class Loss>
NORMBALL_INLINE void add_simd(const Rows& rows, Index i, Lanes (&sums)[3]) {
  Lanes y;
  Lanes w;
  Terms terms;
  take<Loss>(rows, i, y, w, terms);
  const auto counts = w > 0.0;
  const Lanes residual = counts ? w * terms.residual : Lanes{};
  const Lanes curvature = terms.curvature < rows.least_curvature ? Lanes{} + rows.least_curvature : terms.curvature;
  const Lanes divisor = terms.curvature < 1e-300 ? Lanes{} + 1e-300 : terms.curvature;
  sums[0] += counts ? w * terms.value : Lanes{};
  sums[1] += residual;
  sums[2] += counts ? residual * terms.residual / divisor : Lanes{};
  if (rows.residual != nullptr) simd::store(residual, rows.residual + i);
  if (rows.curvature != nullptr) simd::store(counts ? w * curvature : Lanes{}, rows.curvature + i);
}

// what is left over at the end, filled up with rows of weight 0
template <class Loss>
NORMBALL_INLINE void add_rest(const Rows& rows, Index begin, Lanes (&sums)[3]) {
  double buffer[5][simd::width] = {};
  const Index count = rows.count - begin;
  std::copy_n(rows.y + begin, count, buffer[0]);
  std::copy_n(rows.weights + begin, count, buffer[1]);
  std::copy_n(rows.eta + begin, count, buffer[2]);
  add_simd<Loss>({.count = simd::width,
                  .y = buffer[0],
                  .weights = buffer[1],
                  .eta = buffer[2],
                  .residual = buffer[3],
                  .curvature = buffer[4],
                  .least_curvature = rows.least_curvature},
                 0, sums);
  if (rows.residual != nullptr) std::copy_n(buffer[3], count, rows.residual + begin);
  if (rows.curvature != nullptr) std::copy_n(buffer[4], count, rows.curvature + begin);
}

template <class Loss>
NORMBALL_INLINE void add_rows(const Rows& rows, RowSums& out) {
  Lanes sums[3] = {};
  Index i = 0;
  for (; i + simd::width <= rows.count; i += simd::width) add_simd<Loss>(rows, i, sums);
  if (i < rows.count) add_rest<Loss>(rows, i, sums);
  out = {.loss = simd::total(sums[0]), .residual = simd::total(sums[1]), .pearson = simd::total(sums[2])};
}

template <class Loss>
NORMBALL_INLINE void add_dual_simd(const Rows& rows, const double* dual, Index i, Lanes (&sums)[4]) {
  Lanes y;
  Lanes w;
  Lanes u;
  Lanes excess;
  Terms terms;
  take<Loss>(rows, i, y, w, terms);
  simd::load(dual + i, u);
  const auto counts = w > 0.0;
  u = counts ? u / w : terms.residual;
  Loss::excess(y, u, excess);
  const Lanes divisor = terms.curvature < 1e-300 ? Lanes{} + 1e-300 : terms.curvature;
  const Lanes apart = (u - terms.residual) * (u - terms.residual);
  sums[0] += counts ? w * (excess > 0.0 ? Lanes{} + infinity : apart / divisor) : Lanes{};
  sums[1] += counts ? w * u * u / divisor : Lanes{};
  sums[2] += counts ? w * apart : Lanes{};
  sums[3] += counts ? w * u : Lanes{};
}

template <class Loss>
NORMBALL_INLINE void add_dual_rows(const Rows& rows, const double* dual, DualSums& out) {
  Lanes sums[4] = {};
  Index i = 0;
  for (; i + simd::width <= rows.count; i += simd::width) add_dual_simd<Loss>(rows, dual, i, sums);
  if (i < rows.count) {  // filled up with rows of weight 0
    double buffer[4][simd::width] = {};
    std::copy(rows.y + i, rows.y + rows.count, buffer[0]);
    std::copy(rows.weights + i, rows.weights + rows.count, buffer[1]);
    std::copy(rows.eta + i, rows.eta + rows.count, buffer[2]);
    std::copy(dual + i, dual + rows.count, buffer[3]);
    add_dual_simd<Loss>({.count = simd::width, .y = buffer[0], .weights = buffer[1], .eta = buffer[2]}, buffer[3], 0,
                        sums);
  }
  out = {.dual_pearson = simd::total(sums[0]),
         .pearson = simd::total(sums[1]),
         .distance = simd::total(sums[2]),
         .total = simd::total(sums[3])};
}

}  // namespace

RowSums squared_error_rows(const Rows& rows) {
  RowSums sums;
  PerCpu<add_rows<SquaredErrorTerms>>::run(rows, sums);
  return sums;
}
RowSums logistic_rows(const Rows& rows) {
  RowSums sums;
  PerCpu<add_rows<LogisticTerms>>::run(rows, sums);
  return sums;
}
RowSums poisson_rows(const Rows& rows) {
  RowSums sums;
  PerCpu<add_rows<PoissonTerms>>::run(rows, sums);
  return sums;
}
DualSums logistic_dual(const Rows& rows, const double* dual) {
  DualSums sums;
  PerCpu<add_dual_rows<LogisticTerms>>::run(rows, dual, sums);
  return sums;
}
DualSums poisson_dual(const Rows& rows, const double* dual) {
  DualSums sums;
  PerCpu<add_dual_rows<PoissonTerms>>::run(rows, dual, sums);
  return sums;
}

}  // namespace normball
