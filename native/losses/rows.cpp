#include "rows.hpp"

#include <algorithm>

#include "../cpu.hpp"
#include "../lanes.hpp"

namespace normball {
namespace {

using cpu::PerCpu;
using lanes::Lanes;

// one sample in every lane: f less what depends on y alone, f' and f''
struct Terms {
  Lanes value;
  Lanes slope;
  Lanes bend;
};

struct SquaredErrorTerms {
  static NORMBALL_INLINE void at(const Lanes& y, const Lanes& eta, Terms& out) {
    out.slope = eta - y;
    out.value = 0.5 * out.slope * out.slope;
    out.bend = Lanes{} + 1.0;
  }
};

struct LogisticTerms {
  static NORMBALL_INLINE void at(const Lanes& y, const Lanes& eta, Terms& out) {
    Lanes size;
    Lanes e;
    Lanes log;
    lanes::magnitude(eta, size);
    lanes::exp(-size, e);
    lanes::log1p_unit(e, log);
    const Lanes larger = 1.0 / (1.0 + e);  // sigma(|eta|)
    const Lanes smaller = e * larger;      // sigma(-|eta|)
    const auto positive = eta >= 0.0;
    const Lanes up = positive ? larger : smaller;
    const Lanes down = positive ? smaller : larger;
    out.value = log + ((positive ? eta : Lanes{}) - y * eta);
    out.slope = (1.0 - y) * up - y * down;  // no cancellation where the fit is nearly perfect
    out.bend = up * down;
  }
  static NORMBALL_INLINE void excess(const Lanes& y, const Lanes& u, Lanes& out) {  // > 0 beyond the domain of f*
    const Lanes above = u - (1.0 - y);
    const Lanes below = -u - y;
    out = above > below ? above : below;
  }
};

struct PoissonTerms {
  static NORMBALL_INLINE void at(const Lanes& y, const Lanes& eta, Terms& out) {
    lanes::exp(eta, out.bend);
    out.slope = out.bend - y;
    out.value = out.bend - y * eta;
  }
  static NORMBALL_INLINE void excess(const Lanes& y, const Lanes& u, Lanes& out) { out = -u - y; }
};

template <class Loss>
NORMBALL_INLINE void take(const Rows& rows, Index i, Lanes& y, Lanes& w, Terms& terms) {
  Lanes eta;
  lanes::load(rows.y + i, y);
  lanes::load(rows.weights + i, w);
  lanes::load(rows.eta + i, eta);
  Loss::at(y, eta, terms);
}

template <class Loss>
NORMBALL_INLINE void add_lanes(const Rows& rows, Index i, Lanes (&sums)[3]) {
  Lanes y;
  Lanes w;
  Terms terms;
  take<Loss>(rows, i, y, w, terms);
  const auto counts = w > 0.0;
  const Lanes residual = counts ? w * terms.slope : Lanes{};
  const Lanes bend = terms.bend < rows.least_curvature ? Lanes{} + rows.least_curvature : terms.bend;
  const Lanes divisor = terms.bend < 1e-300 ? Lanes{} + 1e-300 : terms.bend;
  sums[0] += counts ? w * terms.value : Lanes{};
  sums[1] += residual;
  sums[2] += counts ? residual * terms.slope / divisor : Lanes{};
  if (rows.residual != nullptr) lanes::store(residual, rows.residual + i);
  if (rows.curvature != nullptr) lanes::store(counts ? w * bend : Lanes{}, rows.curvature + i);
}

// what is left over at the end, filled up with rows of weight 0
template <class Loss>
NORMBALL_INLINE void add_rest(const Rows& rows, Index begin, Lanes (&sums)[3]) {
  double buffer[5][lanes::width] = {};
  const Index count = rows.count - begin;
  std::copy_n(rows.y + begin, count, buffer[0]);
  std::copy_n(rows.weights + begin, count, buffer[1]);
  std::copy_n(rows.eta + begin, count, buffer[2]);
  add_lanes<Loss>({.count = lanes::width,
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
  for (; i + lanes::width <= rows.count; i += lanes::width) add_lanes<Loss>(rows, i, sums);
  if (i < rows.count) add_rest<Loss>(rows, i, sums);
  out = {.loss = lanes::total(sums[0]), .residual = lanes::total(sums[1]), .spread = lanes::total(sums[2])};
}

template <class Loss>
NORMBALL_INLINE void add_dual_lanes(const Rows& rows, const double* dual, Index i, Lanes (&sums)[4]) {
  Lanes y;
  Lanes w;
  Lanes u;
  Lanes excess;
  Terms terms;
  take<Loss>(rows, i, y, w, terms);
  lanes::load(dual + i, u);
  const auto counts = w > 0.0;
  u = counts ? u / w : terms.slope;
  Loss::excess(y, u, excess);
  const Lanes divisor = terms.bend < 1e-300 ? Lanes{} + 1e-300 : terms.bend;
  const Lanes apart = (u - terms.slope) * (u - terms.slope);
  sums[0] += counts ? w * (excess > 0.0 ? Lanes{} + infinity : apart / divisor) : Lanes{};
  sums[1] += counts ? w * u * u / divisor : Lanes{};
  sums[2] += counts ? w * apart : Lanes{};
  sums[3] += counts ? w * u : Lanes{};
}

template <class Loss>
NORMBALL_INLINE void add_dual_rows(const Rows& rows, const double* dual, DualSums& out) {
  Lanes sums[4] = {};
  Index i = 0;
  for (; i + lanes::width <= rows.count; i += lanes::width) add_dual_lanes<Loss>(rows, dual, i, sums);
  if (i < rows.count) {  // filled up with rows of weight 0
    double buffer[4][lanes::width] = {};
    std::copy(rows.y + i, rows.y + rows.count, buffer[0]);
    std::copy(rows.weights + i, rows.weights + rows.count, buffer[1]);
    std::copy(rows.eta + i, rows.eta + rows.count, buffer[2]);
    std::copy(dual + i, dual + rows.count, buffer[3]);
    add_dual_lanes<Loss>({.count = lanes::width, .y = buffer[0], .weights = buffer[1], .eta = buffer[2]}, buffer[3], 0,
                         sums);
  }
  out = {.misfit = lanes::total(sums[0]),
         .spread = lanes::total(sums[1]),
         .distance = lanes::total(sums[2]),
         .total = lanes::total(sums[3])};
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
