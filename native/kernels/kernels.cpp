#include "kernels/kernels.hpp"

#include <algorithm>

#include "core/cpu.hpp"
#include "kernels/simd.hpp"

namespace normball::kernels {
namespace {

using cpu::PerCpu;
using simd::Lanes;
using simd::load;
using simd::store;
using simd::total;
using Line = Lanes<64>;
constexpr Index width = simd::width<Line>;

template <class T, bool Squared>
NORMBALL_INLINE double dot_one(const T* x, double c, const double* v, Index n) {
  Line sum[4] = {};
  Line a;
  Line b;
  Index i = 0;
  for (; i + 4 * width <= n; i += 4 * width) {
    for (int u = 0; u < 4; ++u) {
      load(x + i + u * width, a);
      load(v + i + u * width, b);
      a -= c;
      sum[u] += Squared ? a * a * b : a * b;
    }
  }
  double rest = 0.0;
  for (; i < n; ++i) {
    const double xi = static_cast<double>(x[i]) - c;
    rest += Squared ? xi * xi * v[i] : xi * v[i];
  }
  return total((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest;
}

template <class T>
NORMBALL_INLINE void square_four(const T* x, double c, const double* const* v, Index n, double* out) {
  Line sum[4] = {};
  Line a;
  Line b;
  Index i = 0;
  for (; i + width <= n; i += width) {
    load(x + i, a);
    a -= c;
    a *= a;
    for (int k = 0; k < 4; ++k) {
      load(v[k] + i, b);
      sum[k] += a * b;
    }
  }
  double rest[4] = {};
  for (; i < n; ++i) {
    const double xi = static_cast<double>(x[i]) - c;
    for (int k = 0; k < 4; ++k) rest[k] += xi * xi * v[k][i];
  }
  for (int k = 0; k < 4; ++k) out[k] += total(sum[k]) + rest[k];
}

// Four columns meet some vectors: as many sums as stay in registers, so that a load feeds several products.
template <class T, class V, int Count>
NORMBALL_INLINE void product_tile(const T* const* x, const T* const* next, const double* c, const double* const* v,
                                  Index n, double (*out)[4]) {
  V sum[Count][4] = {};
  V a[4];
  V b;
  Index i = 0;
  for (; i + simd::width<V> <= n; i += simd::width<V>) {
    for (int j = 0; j < 4; ++j) {
      __builtin_prefetch(next[j] + i);
      load(x[j] + i, a[j]);
      a[j] -= c[j];
    }
    for (int k = 0; k < Count; ++k) {
      load(v[k] + i, b);
      for (int j = 0; j < 4; ++j) sum[k][j] += a[j] * b;
    }
  }
  for (int k = 0; k < Count; ++k) {
    for (int j = 0; j < 4; ++j) {
      double rest = total(sum[k][j]);
      for (Index r = i; r < n; ++r) rest += (static_cast<double>(x[j][r]) - c[j]) * v[k][r];
      out[k][j] += rest;
    }
  }
}

template <class T, class V, int Count>
NORMBALL_INLINE void product_tiles(const T* const* x, const T* const* next, const double* c, const double* const* v,
                                   Index n_vectors, Index n, double (*out)[4]) {
  Index k = 0;
  for (; k + Count <= n_vectors; k += Count) product_tile<T, V, Count>(x, k == 0 ? next : x, c, v + k, n, out + k);
  if constexpr (Count > 1) product_tiles<T, V, Count - 1>(x, k == 0 ? next : x, c, v + k, n_vectors - k, n, out + k);
}

template <class T>
NORMBALL_INLINE void axpy_one(double a, const T* x, double c, double* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] += a * (static_cast<double>(x[i]) - c);
}

template <class T>
NORMBALL_INLINE void centre_one(const T* x, double c, const double* a, double* __restrict y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = a[i] * (static_cast<double>(x[i]) - c);
}

template <class T>
NORMBALL_INLINE void shift_one(const T* x, const T* next, double c, double* __restrict y, Index n) {
  Index i = 0;
  for (; i + width <= n; i += width) {
    __builtin_prefetch(next + i);
    for (Index r = i; r < i + width; ++r) y[r] = static_cast<double>(x[r]) - c;
  }
  for (; i < n; ++i) y[i] = static_cast<double>(x[i]) - c;
}

NORMBALL_INLINE void scale_one(double a, const double* d, const double* x, double* __restrict y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = a * d[i] * x[i];
}

template <class T>
NORMBALL_INLINE void axpy_four(const double* a, const T* x0, const T* x1, const T* x2, const T* x3, double* y,
                               Index n) {
  for (Index i = 0; i < n; ++i) {
    y[i] += (a[0] * static_cast<double>(x0[i]) + a[1] * static_cast<double>(x1[i])) +
            (a[2] * static_cast<double>(x2[i]) + a[3] * static_cast<double>(x3[i]));
  }
}

template <class T>
NORMBALL_INLINE double gather_dot_one(const T* x, const std::int32_t* rows, Index count, double c, const double* v) {
  double sum[4] = {};  // four chains: one would wait for each addition
  Index e = 0;
  for (; e + 4 <= count; e += 4) {
    for (int u = 0; u < 4; ++u) sum[u] += (static_cast<double>(x[e + u]) - c) * v[rows[e + u]];
  }
  for (; e < count; ++e) sum[0] += (static_cast<double>(x[e]) - c) * v[rows[e]];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// In as many registers as the eight take: GCC 12 takes one that is wider than the CPU's over the stack.
template <class V>
constexpr Index parts_of_group = group / simd::width<V>;

template <class V>
NORMBALL_INLINE void add_entry(double x, const double* row, V (&sum)[parts_of_group<V>]) {
  V part;
  for (Index k = 0; k < parts_of_group<V>; ++k) {
    load(row + k * simd::width<V>, part);
    sum[k] += x * part;
  }
}

template <class T, class V>
NORMBALL_INLINE void gather_eight(const T* x, const std::int32_t* rows, Index count, double c, const double* v,
                                  double* out) {
  V sum[4][parts_of_group<V>] = {};  // in the order of gather_dot_one: the same bits, whatever company a vector is in
  Index e = 0;
  for (; e + 4 <= count; e += 4) {
    for (int u = 0; u < 4; ++u) add_entry(static_cast<double>(x[e + u]) - c, v + group * rows[e + u], sum[u]);
  }
  for (; e < count; ++e) add_entry(static_cast<double>(x[e]) - c, v + group * rows[e], sum[0]);
  for (Index k = 0; k < parts_of_group<V>; ++k)
    store((sum[0][k] + sum[1][k]) + (sum[2][k] + sum[3][k]), out + k * simd::width<V>);
}

using Sixteen = float __attribute__((vector_size(64)));
NORMBALL_INLINE void load(const float* p, Sixteen& out) { std::memcpy(&out, p, sizeof out); }
NORMBALL_INLINE void store(const Sixteen& a, float* p) { std::memcpy(p, &a, sizeof a); }

template <class T>
NORMBALL_INLINE void add_row(const T* x, const std::int32_t* rows, Index e, double c, const float* v, Sixteen& sum) {
  Sixteen row;
  load(v + float_group * rows[e], row);
  sum += static_cast<float>(static_cast<double>(x[e]) - c) * row;
}

template <class T>
NORMBALL_INLINE void gather_sixteen(const T* x, const std::int32_t* rows, Index count, double c, const float* v,
                                    float* out) {
  Sixteen sum[4] = {};
  Index e = 0;
  for (; e + 4 <= count; e += 4) {
    for (int u = 0; u < 4; ++u) add_row(x, rows, e + u, c, v, sum[u]);
  }
  for (; e < count; ++e) add_row(x, rows, e, c, v, sum[0]);
  store((sum[0] + sum[1]) + (sum[2] + sum[3]), out);
}

template <class T, class V>
NORMBALL_INLINE void scatter_eight(const double* a, const T* x, const std::int32_t* rows, Index count, double c,
                                   double* v) {
  V factor[parts_of_group<V>];
  V part;
  for (Index k = 0; k < parts_of_group<V>; ++k) load(a + k * simd::width<V>, factor[k]);
  for (Index e = 0; e < count; ++e) {
    const double value = static_cast<double>(x[e]) - c;
    double* const row = v + group * rows[e];
    for (Index k = 0; k < parts_of_group<V>; ++k) {
      load(row + k * simd::width<V>, part);
      part += value * factor[k];
      store(part, row + k * simd::width<V>);
    }
  }
}

NORMBALL_INLINE void encode_column(const double* x, double unit, Index n, std::int8_t* codes, double* sums) {
  constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
  const double inverse = 1.0 / unit;
  Line squares = {};
  Line missed = {};
  Line entries;
  double rounded[width];
  for (Index i = 0; i < n; i += width) {
    double rest[width] = {};
    const Index count = std::min(width, n - i);
    std::copy_n(x + i, count, rest);
    load(rest, entries);
    const Line whole = (entries * inverse + magic) - magic;
    const Line off = (entries - unit * whole) * inverse;
    squares += whole * whole;
    missed += off * off;
    store(whole, rounded);
    for (Index r = 0; r < count; ++r) codes[i + r] = static_cast<std::int8_t>(rounded[r]);
  }
  sums[0] = total(squares);
  sums[1] = total(missed);
}

NORMBALL_INLINE void scale_sums(double unit, const double* units, const std::int32_t* sums, Index n, double* values) {
  for (Index j = 0; j < n; ++j) values[j] = unit * units[j] * static_cast<double>(sums[j]);
}

NORMBALL_INLINE void doubt_columns(const Clearing& clearing, double* values, std::uint8_t* flags) {
  const Clearing c = clearing;  // what is written may not be part of it
  constexpr double rounded_down = 1.0 - 1e-12;
  for (Index j = 0; j < c.count; ++j) {
    values[j] -= c.shifts[j] * c.total;
    const double slack = c.missed_share * c.missed[j] + c.held_share * c.held[j];
    const double enough = rounded_down * (c.threshold * c.factors[j] - c.dual_distance * c.norms[j]) * c.scales[j];
    flags[j] = std::abs(values[j]) + slack < enough ? 0 : 1;  // NaN is a doubt
  }
}

NORMBALL_INLINE void draw_out(const Reaching& reaching, std::uint8_t* flags) {
  const Reaching r = reaching;
  for (Index j = 0; j < r.count; ++j) {
    const double drawn_out = r.now[j] + r.slope * (r.now[j] - r.earlier[j]);
    flags[j] = std::abs(drawn_out) < r.threshold * r.factors[j] ? 0 : 1;
  }
}

NORMBALL_INLINE void divide(const double* x, const double* scales, Index n, double* y) {
  for (Index j = 0; j < n; ++j) y[j] = scales[j] == 0.0 ? 0.0 : x[j] / scales[j];
}

}  // namespace

template <class T>
double dot(const T* x, double c, const double* v, Index n) {
  return PerCpu<dot_one<T, false>>::run(x, c, v, n);
}
template <class T>
void products4(const T* const* x, const T* const* next, const double* c, const double* const* v, Index n_vectors,
               Index n, double (*out)[4]) {
  PerCpu<product_tiles<T, Line, 6>, product_tiles<T, Lanes<32>, 2>, product_tiles<T, Lanes<16>, 2>>::run(
      x, next, c, v, n_vectors, n, out);
}
template <class T>
void squares(const T* x, double c, const double* const* v, Index n_vectors, Index n, double* out) {
  Index k = 0;
  for (; k + 4 <= n_vectors; k += 4) PerCpu<square_four<T>>::run(x, c, v + k, n, out + k);
  for (; k < n_vectors; ++k) out[k] += PerCpu<dot_one<T, true>>::run(x, c, v[k], n);
}
template <class T>
void axpy(double a, const T* x, double c, double* y, Index n) {
  PerCpu<axpy_one<T>>::run(a, x, c, y, n);
}
template <class T>
void centre(const T* x, double c, const double* a, double* y, Index n) {
  PerCpu<centre_one<T>>::run(x, c, a, y, n);
}
template <class T>
void shift(const T* x, const T* next, double c, double* y, Index n) {
  PerCpu<shift_one<T>>::run(x, next, c, y, n);
}
void scale(double a, const double* d, const double* x, double* y, Index n) { PerCpu<scale_one>::run(a, d, x, y, n); }
template <class T>
void axpy4(const double* a, const T* const* x, double* y, Index n) {
  PerCpu<axpy_four<T>>::run(a, x[0], x[1], x[2], x[3], y, n);
}

template <class T>
double gather_dot(const T* x, const std::int32_t* rows, Index count, double c, const double* v) {
  return PerCpu<gather_dot_one<T>>::run(x, rows, count, c, v);
}
template <class T>
void scatter_add(double a, const T* x, const std::int32_t* rows, Index count, double c, double* v) {
  for (Index e = 0; e < count; ++e) v[rows[e]] += a * (static_cast<double>(x[e]) - c);
}
template <class T>
void gather_group(const T* x, const std::int32_t* rows, Index count, double c, const double* v, double* out) {
  PerCpu<gather_eight<T, Lanes<64>>, gather_eight<T, Lanes<32>>, gather_eight<T, Lanes<16>>>::run(x, rows, count, c, v,
                                                                                                  out);
}
template <class T>
void scatter_group(const double* a, const T* x, const std::int32_t* rows, Index count, double c, double* v) {
  PerCpu<scatter_eight<T, Lanes<64>>, scatter_eight<T, Lanes<32>>, scatter_eight<T, Lanes<16>>>::run(a, x, rows, count,
                                                                                                     c, v);
}
template <class T>
void gather_floats(const T* x, const std::int32_t* rows, Index count, double c, const float* v, float* out) {
  PerCpu<gather_sixteen<T>>::run(x, rows, count, c, v, out);
}

void encode_bytes(const double* x, double unit, Index n, std::int8_t* codes, double* sums) {
  PerCpu<encode_column>::run(x, unit, n, codes, sums);
}
void scale_products(double unit, const double* units, const std::int32_t* sums, Index n, double* values) {
  PerCpu<scale_sums>::run(unit, units, sums, n, values);
}
void find_survivors(const Clearing& clearing, double* values, std::uint8_t* flags) {
  PerCpu<doubt_columns>::run(clearing, values, flags);
}
void find_reaching(const Reaching& reaching, std::uint8_t* flags) { PerCpu<draw_out>::run(reaching, flags); }
void unscale(const double* x, const double* scales, Index n, double* y) { PerCpu<divide>::run(x, scales, n, y); }

#define NORMBALL_INSTANTIATE(T)                                                                                \
  template double dot(const T*, double, const double*, Index);                                                 \
  template void squares(const T*, double, const double* const*, Index, Index, double*);                        \
  template void products4(const T* const*, const T* const*, const double*, const double* const*, Index, Index, \
                          double (*)[4]);                                                                      \
  template void axpy(double, const T*, double, double*, Index);                                                \
  template void centre(const T*, double, const double*, double*, Index);                                       \
  template void shift(const T*, const T*, double, double*, Index);                                             \
  template void axpy4(const double*, const T* const*, double*, Index);                                         \
  template double gather_dot(const T*, const std::int32_t*, Index, double, const double*);                     \
  template void scatter_add(double, const T*, const std::int32_t*, Index, double, double*);                    \
  template void gather_group(const T*, const std::int32_t*, Index, double, const double*, double*);            \
  template void scatter_group(const double*, const T*, const std::int32_t*, Index, double, double*);           \
  template void gather_floats(const T*, const std::int32_t*, Index, double, const float*, float*);
NORMBALL_INSTANTIATE(float)
NORMBALL_INSTANTIATE(double)
#undef NORMBALL_INSTANTIATE

}  // namespace normball::kernels
