#include "kernels/byte_kernels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/cpu.hpp"

#if NORMBALL_X86_LEVELS
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"  // the header's own "undefined" vectors (GCC bug 105593)
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

namespace normball::kernels {

bool multiplies_bytes() { return cpu::level() == cpu::Level::avx512_vnni; }

namespace {

// As product_tile in kernels.cpp: as many sums as stay in registers. Compilers know what the CPU has for sums of
// products of pairs.
template <class X, int Count>
NORMBALL_INLINE void whole_tiles(const X* const* x, const std::int16_t* const* v, Index n_vectors, Index n,
                                 std::int32_t* out, Index stride) {
  const X* x0 = x[0];
  const X* x1 = x[1];
  const X* x2 = x[2];
  const X* x3 = x[3];
  Index first = 0;
  for (; first + Count <= n_vectors; first += Count) {
    std::int32_t sum[Count][4] = {};
    for (Index i = 0; i < n; ++i) {
      for (int k = 0; k < Count; ++k) {
        const std::int32_t b = v[first + k][i];
        sum[k][0] += x0[i] * b;
        sum[k][1] += x1[i] * b;
        sum[k][2] += x2[i] * b;
        sum[k][3] += x3[i] * b;
      }
    }
    for (int k = 0; k < Count; ++k) std::copy_n(sum[k], 4, out + (first + k) * stride);
  }
  if constexpr (Count > 1) whole_tiles<X, Count - 1>(x, v + first, n_vectors - first, n, out + first * stride, stride);
}

NORMBALL_INLINE void round_column(double a, const double* d, const double* x, Index n, std::int16_t* codes,
                                  float& unit) {
  constexpr float most = 2896.0F;       // 256 products of such numbers fit in 32 bits
  constexpr float magic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  float scaled[256];
  for (Index i = 0; i < n; ++i) scaled[i] = static_cast<float>(a * d[i] * x[i]);
  std::fill(scaled + n, std::end(scaled), 0.0F);
  std::int32_t bits = 0;  // the largest size, since sizes are in the order of their bits
  for (const float z : scaled) bits = std::max(bits, std::bit_cast<std::int32_t>(std::abs(z)));
  const auto largest = std::bit_cast<float>(bits);
  unit = largest / most;
  const float inverse = largest > 1e-30F ? most / largest : 0.0F;
  for (Index i = 0; i < 256; ++i) codes[i] = static_cast<std::int16_t>((scaled[i] * inverse + magic) - magic);
}

}  // namespace

template <class X>
void whole_products4(const X* const* x, const std::int16_t* const* v, Index n_vectors, Index n, std::int32_t* out,
                     Index stride) {
  cpu::PerCpu<whole_tiles<X, 4>, whole_tiles<X, 3>>::run(x, v, n_vectors, n, out, stride);
}
float round_to_whole(double a, const double* d, const double* x, Index n, std::int16_t* codes) {
  float unit = 0.0F;
  cpu::PerCpu<round_column>::run(a, d, x, n, codes, unit);
  return unit;
}

template void whole_products4(const std::int8_t* const*, const std::int16_t* const*, Index, Index, std::int32_t*,
                              Index);
template void whole_products4(const std::int16_t* const*, const std::int16_t* const*, Index, Index, std::int32_t*,
                              Index);

#if NORMBALL_X86_LEVELS
namespace {

// a mask of the first `count` lanes
inline std::uint32_t first_bits(Index count) {
  return count >= 16 ? 0xFFFFU : (1U << static_cast<unsigned>(count)) - 1U;
}

// Vectors x 16 columns from `a` on meet eight from `b` on
template <Index Vectors>
NORMBALL_AVX512_VNNI void byte_gram_tile(const ByteRows& rows, Index n_groups, Index a, Index b, float* out) {
  const __m512i offset = _mm512_set1_epi8(static_cast<char>(128));  // the instruction wants one side without sign
  __m512i sum[8][Vectors];
  for (auto& row : sum) {
    for (__m512i& value : row) value = _mm512_setzero_si512();
  }
  const std::int8_t* codes = rows.codes;
  for (Index g = 0; g < n_groups; ++g, codes += 4 * rows.width) {
    __m512i u[Vectors];
    for (Index v = 0; v < Vectors; ++v) u[v] = _mm512_xor_si512(_mm512_loadu_si512(codes + 4 * a + 64 * v), offset);
    for (int j = 0; j < 8; ++j) {
      std::int32_t four;
      std::memcpy(&four, codes + 4 * (b + j), 4);
      const __m512i s = _mm512_set1_epi32(four);
      for (Index v = 0; v < Vectors; ++v) sum[j][v] = _mm512_dpbusd_epi32(sum[j][v], u[v], s);
    }
  }
  for (int j = 0; j < 8; ++j) {
    const __m512i surplus = _mm512_set1_epi32(128 * rows.sums[b + j]);
    const __m512 unit = _mm512_set1_ps(rows.units[b + j]);
    for (Index v = 0; v < Vectors; ++v) {
      float* place = out + (b + j) * rows.width + a + 16 * v;
      const __m512 units = _mm512_mul_ps(_mm512_loadu_ps(rows.units + a + 16 * v), unit);
      const __m512 product = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum[j][v], surplus));
      _mm512_storeu_ps(place, _mm512_fmadd_ps(product, units, _mm512_loadu_ps(place)));
    }
  }
}

}  // namespace

NORMBALL_AVX512_VNNI void round_to_bytes(double a, const double* d, const double* x, Index n, std::uint32_t seed,
                                         Index j, const ByteRows& rows) {
  constexpr float largest_code = 126.0F;  // and less than one more by rounding
  alignas(64) float scaled[256];
  const Index n_padded = (n + 15) / 16 * 16;
  std::fill(scaled + n_padded - std::min<Index>(n_padded, 16), scaled + n_padded, 0.0F);
  __m512 most = _mm512_setzero_ps();
  for (Index i = 0; i < n; i += 8) {
    const auto mask = static_cast<__mmask8>(first_bits(n - i));
    const __m512d root = _mm512_mul_pd(_mm512_set1_pd(a), _mm512_maskz_loadu_pd(mask, d + i));
    const __m256 z = _mm512_cvtpd_ps(_mm512_mul_pd(root, _mm512_maskz_loadu_pd(mask, x + i)));
    _mm256_store_ps(scaled + i, z);
    most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_castps256_ps512(z)));
  }
  const float largest = _mm512_reduce_max_ps(_mm512_maskz_mov_ps(0xFF, most));
  const bool is_zero = !(largest > 1e-30F);
  const __m512 inverse = _mm512_set1_ps(is_zero ? 0.0F : largest_code / largest);
  // sixteen linear congruential generators (Knuth 1998, 3.3.4, table 1, line 16), begun apart
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i factor = _mm512_set1_epi32(1664525);
  const __m512i term = _mm512_set1_epi32(1013904223);
  __m512i state = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(seed * 16U)), lanes);
  for (int spread = 0; spread < 2; ++spread) {
    state = _mm512_mullo_epi32(_mm512_xor_si512(state, _mm512_srli_epi32(state, 16)),
                               _mm512_set1_epi32(static_cast<int>(0x45d9f3bU)));
  }
  const __m512 unit_of_state = _mm512_set1_ps(0x1p-32F);
  __m512i sum = _mm512_setzero_si512();
  std::int8_t* place = rows.codes + 4 * j;
  for (Index i = 0; i < n_padded; i += 16) {
    state = _mm512_add_epi32(_mm512_mullo_epi32(state, factor), term);
    const __m512 chance = _mm512_mul_ps(_mm512_cvtepi32_ps(state), unit_of_state);  // in [-1/2, 1/2]
    const auto inside = static_cast<__mmask16>(first_bits(n - i));
    const __m512i q = _mm512_maskz_cvtps_epi32(inside, _mm512_fmadd_ps(_mm512_load_ps(scaled + i), inverse, chance));
    sum = _mm512_add_epi32(sum, q);
    alignas(16) std::int32_t fours[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(fours), _mm512_cvtepi32_epi8(q));
    for (const std::int32_t four : fours) {
      std::memcpy(place, &four, 4);
      place += 4 * rows.width;
    }
  }
  rows.units[j] = is_zero ? 0.0F : largest / largest_code;
  rows.sums[j] = _mm512_reduce_add_epi32(sum);
}

void add_byte_gram(const ByteRows& rows, Index n_groups, float* out) {
  for (Index b = 0; b < rows.width; b += 8) {
    Index a = 0;
    for (; a + 16 < b + 8; a += 32) byte_gram_tile<2>(rows, n_groups, a, b, out);
    if (a < b + 8) byte_gram_tile<1>(rows, n_groups, a, b, out);
  }
}
#else
void round_to_bytes(double, const double*, const double*, Index, std::uint32_t, Index, const ByteRows&) {}
void add_byte_gram(const ByteRows&, Index, float*) {}
#endif

}  // namespace normball::kernels
