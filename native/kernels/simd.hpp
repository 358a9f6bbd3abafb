// Several doubles at a time, for functions that PerCpu compiles for several CPUs: what stands here is always
// inlined, so it takes on the instructions of its caller. Results go through references, since a vector in a return
// value would have another ABI on every CPU.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numbers>

#include "core/cpu.hpp"
#include "core/types.hpp"

namespace normball::simd {

// What stands in so many bytes, as many floats, and either of them in memory: copied there by memcpy, GCC 12 takes an
// AVX2 register by halves over the stack. (Spelt out, since it loses an attribute that depends on a parameter.)
template <int Bytes>
struct Vectors;
template <>
struct Vectors<64> {
  using Doubles = double __attribute__((vector_size(64)));
  using Stored = double __attribute__((vector_size(64), aligned(8), may_alias));
  using Floats = float __attribute__((vector_size(32), aligned(4), may_alias));
};
template <>
struct Vectors<32> {
  using Doubles = double __attribute__((vector_size(32)));
  using Stored = double __attribute__((vector_size(32), aligned(8), may_alias));
  using Floats = float __attribute__((vector_size(16), aligned(4), may_alias));
};
template <>
struct Vectors<16> {
  using Doubles = double __attribute__((vector_size(16)));
  using Stored = double __attribute__((vector_size(16), aligned(8), may_alias));
  using Floats = float __attribute__((vector_size(8), aligned(4), may_alias));
};
template <int Bytes>
using Lanes = typename Vectors<Bytes>::Doubles;
template <class V>
inline constexpr Index width = sizeof(V) / sizeof(double);

template <class V>
NORMBALL_INLINE void load(const double* p, V& out) {
  out = *reinterpret_cast<const typename Vectors<sizeof(V)>::Stored*>(p);
}
template <class V>
NORMBALL_INLINE void load(const float* p, V& out) {
  out = __builtin_convertvector(*reinterpret_cast<const typename Vectors<sizeof(V)>::Floats*>(p), V);
}
template <class V>
NORMBALL_INLINE void store(const V& a, double* p) {
  *reinterpret_cast<typename Vectors<sizeof(V)>::Stored*>(p) = a;
}
template <class V>
NORMBALL_INLINE double total(const V& a) {
  double parts[width<V>];
  store(a, parts);
  for (Index half = width<V> / 2; half > 0; half /= 2) {
    for (Index i = 0; i < half; ++i) parts[i] += parts[i + half];
  }
  return parts[0];
}

template <class Real>
NORMBALL_INLINE void abs(const Real& x, Real& out) {
  out = x < 0.0 ? -x : x;
}

// e^x to about 1 ulp, with overflow to infinity, gradual underflow, and NaN for NaN: x = k log 2 + r (Cody & Waite
// 1980), |r| <= log(2) / 2, Taylor's polynomial of degree 13 in r. The power of two is applied in two halves.
template <class V>
NORMBALL_INLINE void exp(const V& argument, V& out) {
  using Integers = decltype(argument < argument);
  constexpr double magic = 6755399441055744.0;          // 1.5 * 2^52: adding it rounds to an integer in the low bits
  constexpr double coarse = 355.0 / 512.0;              // log 2, so short that k times it is exact
  constexpr double fine = -2.121944400546905827679e-4;  // the rest of log 2
  const V low = argument < -746.0 ? V{} - 746.0 : argument;
  const V x = low > 710.0 ? V{} + 710.0 : low;
  const V shifted = x * std::numbers::log2e + magic;
  const V k = shifted - magic;
  const V r = (x - k * coarse) - k * fine;
  V p = V{} + 1.0 / 6227020800.0;
  constexpr double inverse_factorials[] = {1.0 / 479001600.0,
                                           1.0 / 39916800.0,
                                           1.0 / 3628800.0,
                                           1.0 / 362880.0,
                                           1.0 / 40320.0,
                                           1.0 / 5040.0,
                                           1.0 / 720.0,
                                           1.0 / 120.0,
                                           1.0 / 24.0,
                                           1.0 / 6.0,
                                           0.5};
  for (const double c : inverse_factorials) p = p * r + c;
  p = 1.0 + (r + r * r * p);
  Integers bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  const Integers power = bits & 0xffffffffffff;  // k modulo 2^48; only its last 12 bits will count
  const Integers half = power >> 1;
  const Integers first_bits = (half + 1023) << 52;
  const Integers second_bits = (power - half + 1023) << 52;
  V first;
  V second;
  std::memcpy(&first, &first_bits, sizeof first);
  std::memcpy(&second, &second_bits, sizeof second);
  out = p * first * second;
}

// log(1 + e) for 0 <= e <= 1, to about 1 ulp: 2 atanh(f / (2 + f)) by fdlibm's polynomial, after halving 1 + e where
// it exceeds the square root of 2
template <class V>
NORMBALL_INLINE void log1p_unit(const V& e, V& out) {
  const auto large = e > 0.41421356237309503;
  const V f = large ? 0.5 * (e - 1.0) : e;
  const V s = f / (2.0 + f);
  const V z = s * s;
  V tail = V{} + 1.479819860511658591e-01;
  constexpr double coefficients[] = {1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
                                     2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01};
  for (const double c : coefficients) tail = tail * z + c;
  const V value = f - s * (f - z * tail);
  out = large ? std::numbers::ln2 + value : value;
}

// log x to about 1 ulp: the exponent's part and that of 1 <= m < 2; -infinity below all normal numbers
template <class V>
NORMBALL_INLINE void log(const V& x, V& out) {
  using Integers = decltype(x < x);
  Integers bits;
  std::memcpy(&bits, &x, sizeof bits);
  const Integers mantissa = (bits & 0xfffffffffffff) | 0x3ff0000000000000;
  V m;
  std::memcpy(&m, &mantissa, sizeof m);
  V value;
  log1p_unit(m - 1.0, value);
  value += std::numbers::ln2 * __builtin_convertvector((bits >> 52) - 1023, V);
  const V beyond = x < 1.0 ? V{} - infinity : x;
  out = x >= std::numeric_limits<double>::min() && x < infinity ? value : beyond;
}

// what stands for them where a formula is asked for one number
NORMBALL_INLINE void exp(double x, double& out) { out = std::exp(x); }
NORMBALL_INLINE void log1p_unit(double e, double& out) { out = std::log1p(e); }

}  // namespace normball::simd
