// Eight doubles at a time, for functions that PerCpu compiles for several CPUs: what stands here is always
// inlined, so it takes on the instructions of its caller. Results go through references, since a vector in a return
// value would have another ABI on every CPU.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>

#include "core/cpu.hpp"
#include "core/types.hpp"

namespace normball::simd {

using Lanes = double __attribute__((vector_size(64)));
using FloatLanes = float __attribute__((vector_size(32)));
using IntLanes = std::int64_t __attribute__((vector_size(64)));
inline constexpr Index width = 8;

NORMBALL_INLINE void load(const double* p, Lanes& out) { std::memcpy(&out, p, sizeof out); }
NORMBALL_INLINE void load(const float* p, Lanes& out) {
  FloatLanes narrow;
  std::memcpy(&narrow, p, sizeof narrow);
  out = __builtin_convertvector(narrow, Lanes);
}
NORMBALL_INLINE void store(const Lanes& a, double* p) { std::memcpy(p, &a, sizeof a); }
NORMBALL_INLINE double total(const Lanes& a) {
  return ((a[0] + a[4]) + (a[1] + a[5])) + ((a[2] + a[6]) + (a[3] + a[7]));
}

template <class Real>
NORMBALL_INLINE void abs(const Real& x, Real& out) {
  out = x < 0.0 ? -x : x;
}

// e^x to about 1 ulp, with overflow to infinity, gradual underflow, and NaN for NaN: x = k log 2 + r (Cody & Waite
// 1980), |r| <= log(2) / 2, Taylor's polynomial of degree 13 in r. The power of two is applied in two halves.
NORMBALL_INLINE void exp(const Lanes& argument, Lanes& out) {
  constexpr double magic = 6755399441055744.0;          // 1.5 * 2^52: adding it rounds to an integer in the low bits
  constexpr double coarse = 355.0 / 512.0;              // log 2, so short that k times it is exact
  constexpr double fine = -2.121944400546905827679e-4;  // the rest of log 2
  const Lanes low = argument < -746.0 ? Lanes{} - 746.0 : argument;
  const Lanes x = low > 710.0 ? Lanes{} + 710.0 : low;
  const Lanes shifted = x * std::numbers::log2e + magic;
  const Lanes k = shifted - magic;
  const Lanes r = (x - k * coarse) - k * fine;
  Lanes p = Lanes{} + 1.0 / 6227020800.0;
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
  IntLanes bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  const IntLanes power = bits & 0xffffffffffff;  // k modulo 2^48; only its last 12 bits will count
  const IntLanes half = power >> 1;
  const IntLanes first_bits = (half + 1023) << 52;
  const IntLanes second_bits = (power - half + 1023) << 52;
  Lanes first;
  Lanes second;
  std::memcpy(&first, &first_bits, sizeof first);
  std::memcpy(&second, &second_bits, sizeof second);
  out = p * first * second;
}

// log(1 + e) for 0 <= e <= 1, to about 1 ulp: 2 atanh(f / (2 + f)) by fdlibm's polynomial, after halving 1 + e where
// it exceeds the square root of 2
NORMBALL_INLINE void log1p_unit(const Lanes& e, Lanes& out) {
  const auto large = e > 0.41421356237309503;
  const Lanes f = large ? 0.5 * (e - 1.0) : e;
  const Lanes s = f / (2.0 + f);
  const Lanes z = s * s;
  Lanes tail = Lanes{} + 1.479819860511658591e-01;
  constexpr double coefficients[] = {1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
                                     2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01};
  for (const double c : coefficients) tail = tail * z + c;
  const Lanes value = f - s * (f - z * tail);
  out = large ? std::numbers::ln2 + value : value;
}

// what stands for them where a formula is asked for one number
NORMBALL_INLINE void exp(double x, double& out) { out = std::exp(x); }
NORMBALL_INLINE void log1p_unit(double e, double& out) { out = std::log1p(e); }

}  // namespace normball::simd
