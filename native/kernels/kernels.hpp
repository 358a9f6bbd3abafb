// Inner loops over contiguous memory. The bodies stand in kernels.cpp, compiled for several CPUs and
// chosen when the module is loaded; x is float or double, every sum is carried in double.
#pragma once

#include <cstring>

#include "core/types.hpp"

namespace normball::kernels {

// sum_i (x_i - c) v_i
template <class T>
double dot(const T* x, double c, const double* v, Index n);

// Four columns at once: out[k][j] += sum_i (x[j][i] - c[j]) v[k][i]; `next`, the four columns after them, are fetched
// from memory meanwhile
template <class T>
void products4(const T* const* x, const T* const* next, const double* c, const double* const* v, Index n_vectors,
               Index n, double (*out)[4]);

// out[k] += sum_i (x_i - c)^2 v[k][i]
template <class T>
void squares(const T* x, double c, const double* const* v, Index n_vectors, Index n, double* out);

// y_i += a (x_i - c)
template <class T>
void axpy(double a, const T* x, double c, double* y, Index n);

// y_i = a_i (x_i - c)
template <class T>
void centre(const T* x, double c, const double* a, double* y, Index n);

// y_i = x_i - c; `next` is fetched from memory meanwhile
template <class T>
void shift(const T* x, const T* next, double c, double* y, Index n);

// y_i = a d_i x_i
void scale(double a, const double* d, const double* x, double* y, Index n);

// y_i += a0 x0_i + a1 x1_i + a2 x2_i + a3 x3_i, for row-major matrices: four rows at a time
template <class T>
void axpy4(const double* a, const T* const* x, double* y, Index n);

// The same for the stored entries of a sparse column: x - c at the listed rows.

// sum_e (x_e - c) v[rows_e]
template <class T>
double gather_dot(const T* x, const std::int32_t* rows, Index count, double c, const double* v);

// v[rows_e] += a (x_e - c)
template <class T>
void scatter_add(double a, const T* x, const std::int32_t* rows, Index count, double c, double* v);

// Eight vectors interleaved row by row, so that one entry meets all of them in one cache line:
// out[k] = sum_e (x_e - c) v[8 rows_e + k]
inline constexpr Index group = 8;
template <class T>
void gather_group(const T* x, const std::int32_t* rows, Index count, double c, const double* v, double* out);

// v[8 rows_e + k] += a[k] (x_e - c)
template <class T>
void scatter_group(const double* a, const T* x, const std::int32_t* rows, Index count, double c, double* v);

// Sixteen vectors in single precision, one cache line a row again, for what needs few digits.

// out[k] = sum_e (x_e - c) v[16 rows_e + k]
inline constexpr Index float_group = 16;
template <class T>
void gather_floats(const T* x, const std::int32_t* rows, Index count, double c, const float* v, float* out);

// codes[i] = round(x_i / unit), for |x_i| <= 127 unit; sums[0] of the squares of the rounded, sums[1] of what rounding
// missed, both in this unit
void encode_bytes(const double* x, double unit, Index n, std::int8_t* codes, double* sums);

// values_j = unit units_j sums_j
void scale_products(double unit, const double* units, const std::int32_t* sums, Index n, double* values);

// What is asked of products that may be off by missed_share missed_j + held_share held_j: whether a gradient stays
// below its threshold.
struct Clearing {
  Index count;
  const double* shifts;   // of the columns: times `total` it is taken from the product
  const double* scales;   // by which it is divided
  const double* factors;  // of the threshold
  const double* norms;    // times `dual_distance` it is taken from the threshold
  const double* missed;
  const double* held;
  double total;
  double threshold;
  double dual_distance;
  double missed_share;
  double held_share;
};
// values become gradients times scale; flags[j] = 1 where column j may exceed its threshold
void find_survivors(const Clearing& clearing, double* values, std::uint8_t* flags);

// Gradients drawn out along their last change, and their thresholds.
struct Reaching {
  Index count;
  const double* now;
  const double* earlier;
  double slope;
  double threshold;
  const double* factors;
};
// flags[j] = 1 where the one, now + slope (now - earlier), reaches the other, threshold times factor
void find_reaching(const Reaching& reaching, std::uint8_t* flags);

template <class Visit>
void for_each_flag(const std::vector<std::uint8_t>& flags, const Visit& visit) {
  const std::uint8_t* end = flags.data() + flags.size();
  const auto next = [&](const std::uint8_t* from) {
    return static_cast<const std::uint8_t*>(std::memchr(from, 1, static_cast<std::size_t>(end - from)));
  };
  for (const std::uint8_t* at = next(flags.data()); at != nullptr; at = next(at + 1)) visit(at - flags.data());
}

// y_j = x_j / scale_j, 0 where that is 0
void unscale(const double* x, const double* scales, Index n, double* y);

}  // namespace normball::kernels
