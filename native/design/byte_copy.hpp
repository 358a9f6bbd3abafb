// A copy of a dense design's centred columns in one byte an entry, an eighth of its size, and rigorous bounds of what
// products with it miss. With x = unit q + e and v = coarse h + fine l + d (q, h, l whole numbers of eight bits)
//
//   |x'v - unit (coarse q'h + fine q'l)|  <=  |e| |v| + |unit q| |d|,
//
// so a column whose bound stays below its threshold is cleared without being read. (Cf. safe screening under
// quantisation: Dantas & Gribonval 2019.)
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "../kernels.hpp"
#include "design.hpp"

namespace normball {

class ByteCopy {
 public:
  // A vector over the rows as two vectors of bytes.
  struct Bytes {
    std::vector<std::int8_t> high;
    std::vector<std::int8_t> low;
    double coarse = 0.0;
    double fine = 0.0;
    std::int32_t high_sum = 0;
    std::int32_t low_sum = 0;
    double norm = 0.0;    // of the vector
    double missed = 0.0;  // norm of what the bytes miss
  };

  // products as the bytes have them, and how far they can be off
  struct Bounded {
    double value;
    double slack;
  };

  // longer columns would overflow a sum of 32 bits
  static bool is_possible(Index n_rows) { return n_rows <= 60'000 && kernels::multiplies_bytes(); }

  template <Design D>
  ByteCopy(const D& design, Threads& threads)
      : n_rows_(design.n_rows),
        stride_((design.n_rows + 63) / 64 * 64),
        codes_(static_cast<std::size_t>(stride_ * design.n_cols), 0),
        columns_(static_cast<std::size_t>(design.n_cols)) {
    constexpr Index at_once = 64;
    threads.parallel_for((design.n_cols + at_once - 1) / at_once, [&](Index block) {
      Vector entries(static_cast<std::size_t>(n_rows_));
      for (Index j = block * at_once; j < std::min(design.n_cols, (block + 1) * at_once); ++j) {
        design.for_each_entry(j, [&](Index i, double x) { entries[i] = x; });
        encode(entries, columns_[j], codes_.data() + j * stride_);
      }
    });
  }

  Bytes bytes(const Vector& v) const {
    Bytes out{.high = std::vector<std::int8_t>(static_cast<std::size_t>(stride_), 0),
              .low = std::vector<std::int8_t>(static_cast<std::size_t>(stride_), 0)};
    double largest = 0.0;
    for (const double value : v) largest = std::max(largest, std::abs(value));
    out.coarse = largest / 127.0;
    out.fine = out.coarse / 254.0;
    if (out.fine == 0.0) return out;
    double square = 0.0;
    double missed = 0.0;
    for (Index i = 0; i < n_rows_; ++i) {
      const double high = std::nearbyint(v[i] / out.coarse);
      const double rest = v[i] - out.coarse * high;
      const double low = std::clamp(std::nearbyint(rest / out.fine), -127.0, 127.0);
      out.high[i] = static_cast<std::int8_t>(high);
      out.low[i] = static_cast<std::int8_t>(low);
      out.high_sum += out.high[i];
      out.low_sum += out.low[i];
      square += v[i] * v[i];
      missed += (rest - out.fine * low) * (rest - out.fine * low);
    }
    out.norm = std::sqrt(square) * rounded_up;
    out.missed = std::sqrt(missed) * rounded_up + 1e-15 * out.norm;
    return out;
  }

  // products of columns first .. first + count with all vectors: visit(vector, column, Bounded)
  template <class Visit>
  void multiply(const std::vector<Bytes>& vectors, Index first, Index count, const Visit& visit) const {
    std::vector<const std::int8_t*> v;
    for (const Bytes& bytes : vectors) {
      v.push_back(bytes.high.data());
      v.push_back(bytes.low.data());
    }
    std::vector<std::array<std::int32_t, 4>> sums(v.size());
    for (Index j = first; j < first + count; j += 4) {
      const std::uint8_t* x[4];
      for (Index c = 0; c < 4; ++c) x[c] = codes_.data() + std::min(j + c, first + count - 1) * stride_;
      kernels::byte_products4(x, v.data(), static_cast<Index>(v.size()), stride_,
                              reinterpret_cast<std::int32_t (*)[4]>(sums.data()));
      for (std::size_t k = 0; k < vectors.size(); ++k) {
        for (Index c = 0; c < std::min<Index>(4, first + count - j); ++c) {
          visit(static_cast<Index>(k), j + c, bounded(vectors[k], columns_[j + c], sums[2 * k][c], sums[2 * k + 1][c]));
        }
      }
    }
  }

 private:
  struct Column {
    double unit = 0.0;
    double norm = 0.0;    // of unit q
    double missed = 0.0;  // of e
  };

  // sums of a few thousand squares are right to far better than this
  static constexpr double rounded_up = 1.0 + 1e-10;

  static Bounded bounded(const Bytes& v, const Column& column, std::int32_t high, std::int32_t low) {
    const double h = static_cast<double>(high) - 128.0 * v.high_sum;  // codes are stored plus 128
    const double l = static_cast<double>(low) - 128.0 * v.low_sum;
    return {.value = column.unit * (v.coarse * h + v.fine * l),
            .slack = (column.missed * v.norm + column.norm * v.missed) * rounded_up + 1e-14 * column.norm * v.norm};
  }

  static void encode(const Vector& entries, Column& column, std::uint8_t* codes) {
    double largest = 0.0;
    for (const double x : entries) largest = std::max(largest, std::abs(x));
    column.unit = largest / 127.0;
    if (column.unit == 0.0) return;
    double sums[2];
    kernels::encode_bytes(entries.data(), column.unit, static_cast<Index>(entries.size()), codes, sums);
    column.norm = column.unit * std::sqrt(sums[0]) * rounded_up;
    column.missed = std::sqrt(sums[1]) * rounded_up + 1e-15 * column.norm;
  }

  Index n_rows_;
  Index stride_;
  std::vector<std::uint8_t> codes_;
  std::vector<Column> columns_;
};

}  // namespace normball
