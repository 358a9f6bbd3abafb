// Inner loops over bytes and numbers of sixteen bits, as kernels.hpp has them over floats and doubles.
#pragma once

#include <cstdint>

#include "core/types.hpp"

namespace normball::kernels {

// out[k stride + j] = sum_i x[j][i] v[k][i] for four columns of bytes or of sixteen bits; the sums have to fit in 32
// bits
template <class X>
void whole_products4(const X* const* x, const std::int16_t* const* v, Index n_vectors, Index n, std::int32_t* out,
                     Index stride);

// codes[i] = round(a d_i x_i / unit) for i < n, 0 up to 256; returns the unit, which makes them so small that the
// products of two such columns fit in 32 bits
float round_to_whole(double a, const double* d, const double* x, Index n, std::int16_t* codes);

// Whether this CPU multiplies bytes sixty-four at a time (AVX-512 VNNI).
bool multiplies_bytes();

// Rows in bytes, for their Gram: for each four rows the four signed bytes of each of `width` columns, a multiple of 16.
struct ByteRows {
  Index width;
  std::int8_t* codes;
  float* units;        // of the columns: what a byte stands for
  std::int32_t* sums;  // of the columns' bytes
};

// Column j of the rows becomes a d_i x_i, i < n <= 256, rounded up or down at random so that its expectation is exact;
// rows up to a multiple of 16 become 0. Only where multiplies_bytes().
void round_to_bytes(double a, const double* d, const double* x, Index n, std::uint32_t seed, Index j,
                    const ByteRows& rows);

// out, width x width, upper triangle += the Gram of 4 n_groups rows, and anything below it
void add_byte_gram(const ByteRows& rows, Index n_groups, float* out);

}  // namespace normball::kernels
