#include "kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace normball::kernels {

#if defined(__x86_64__)
namespace {

// the sums of four vectors of sixteen numbers
__attribute__((target("avx512f"))) inline void add_up(const __m512i (&sum)[4], std::int32_t* out) {
  alignas(64) std::int32_t parts[16];
  __m256i half[4];
  for (int j = 0; j < 4; ++j) {
    _mm512_store_si512(parts, sum[j]);
    half[j] = _mm256_add_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(parts)),
                               _mm256_load_si256(reinterpret_cast<const __m256i*>(parts + 8)));
  }
  const __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(half[0], half[1]), _mm256_hadd_epi32(half[2], half[3]));
  const __m128i both = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), both);
}

// as product_tile in kernels.cpp: four columns meet up to six vectors in registers
template <int Count>
__attribute__((target("avx512f,avx512bw,avx512vnni"))) void byte_tile(const std::uint8_t* const* x,
                                                                      const std::int8_t* const* v, Index n,
                                                                      std::int32_t* out, Index stride) {
  __m512i sum[Count][4];
  for (auto& row : sum) {
    for (__m512i& value : row) value = _mm512_setzero_si512();
  }
  for (Index i = 0; i < n; i += 64) {
    __m512i a[4];
    for (int j = 0; j < 4; ++j) {
      a[j] = _mm512_loadu_si512(x[j] + i);
      __builtin_prefetch(x[j] + i + 4 * n);
    }
    for (int k = 0; k < Count; ++k) {
      const __m512i b = _mm512_loadu_si512(v[k] + i);
      for (int j = 0; j < 4; ++j) sum[k][j] = _mm512_dpbusd_epi32(sum[k][j], a[j], b);
    }
  }
  for (int k = 0; k < Count; ++k) add_up(sum[k], out + k * stride);
}

}  // namespace

bool multiplies_bytes() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

void byte_products4(const std::uint8_t* const* x, const std::int8_t* const* v, Index n_vectors, Index n,
                    std::int32_t* out, Index stride) {
  Index k = 0;
  for (; k + 6 <= n_vectors; k += 6) byte_tile<6>(x, v + k, n, out + k * stride, stride);
  for (; k + 2 <= n_vectors; k += 2) byte_tile<2>(x, v + k, n, out + k * stride, stride);
  for (; k < n_vectors; ++k) byte_tile<1>(x, v + k, n, out + k * stride, stride);
}
#else
bool multiplies_bytes() { return false; }
void byte_products4(const std::uint8_t* const*, const std::int8_t* const*, Index, Index, std::int32_t*, Index) {}
#endif

}  // namespace normball::kernels
