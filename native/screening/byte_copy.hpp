// A copy of a dense design's centred columns in one byte an entry, an eighth of its size, and rigorous bounds of what
// products with it miss. With x = unit q + e and v = coarse h + fine l + d (q, h, l whole numbers of eight bits)
//
//   |x'v - unit (coarse q'h + fine q'l)|  <=  |e| |v| + |unit q| |d|,
//
// so a column whose bound stays below its threshold is cleared without being read. (Cf. safe screening under
// quantisation: Dantas & Gribonval 2019.)
#pragma once

#include <algorithm>
#include <cmath>

#include "design/design.hpp"
#include "kernels/byte_kernels.hpp"
#include "kernels/kernels.hpp"
#include "screening/slack.hpp"

namespace normball {

class ByteCopy {
 public:
  // A vector over the rows in whole numbers.
  struct Whole {
    std::vector<std::int16_t> codes;
    double unit = 0.0;
    double norm = 0.0;    // of the vector
    double missed = 0.0;  // norm of what the numbers miss
  };

  using Vectors = std::vector<Whole>;

  static constexpr Index fewest = 1;        // vectors that are worth it
  static constexpr double share = 1.0 / 8;  // of X that is read

  // so that what is known of a chunk stays in cache, for a hundred vectors
  static Index chunk(Index /*n_features*/) { return 256; }
  // sums are of 32 bits: longer columns would leave the vectors too few of them
  static bool is_possible(Index n_rows) { return n_rows <= 60'000; }

  ByteCopy(const DenseDesign& design, Threads& threads)
      : n_rows_(design.n_rows),
        stride_((design.n_rows + 63) / 64 * 64),
        codes_(static_cast<std::size_t>(stride_ * design.n_cols), 0),
        units_(static_cast<std::size_t>(design.n_cols), 0.0),
        norms_(units_.size(), 0.0),
        missed_(units_.size(), 0.0) {
    constexpr Index at_once = 64;
    threads.parallel_for((design.n_cols + at_once - 1) / at_once, [&](Index block) {
      Vector entries(static_cast<std::size_t>(n_rows_));
      for (Index j = block * at_once; j < std::min(design.n_cols, (block + 1) * at_once); ++j) {
        design.pack_rows({.list = &j, .count = 1}, 0, n_rows_, entries.data(), n_rows_);
        encode(entries, j);
      }
    });
  }

  Vectors take(const std::vector<const double*>& vectors, Threads& threads) const {
    Vectors out(vectors.size());
    threads.parallel_for(std::ssize(vectors), [&](Index v) { out[v] = whole(vectors[v]); });
    return out;
  }

  // Products of columns first .. first + count with all vectors, as the whole numbers have them: visit(vector, values),
  // the values to be used as the visitor likes.
  template <class Visit>
  void multiply(const Vectors& vectors, Index first, Index count, const Visit& visit) const {
    const Index stride = (count + 3) / 4 * 4;
    std::vector<const std::int16_t*> v;
    for (const Whole& vector : vectors) v.push_back(vector.codes.data());
    std::vector<std::int32_t> sums(v.size() * static_cast<std::size_t>(stride));
    for (Index j = 0; j < count; j += 4) {
      const std::int8_t* x[4];
      for (Index c = 0; c < 4; ++c) x[c] = codes_.data() + (first + std::min(j + c, count - 1)) * stride_;
      kernels::whole_products4(x, v.data(), std::ssize(v), stride_, sums.data() + j, stride);
    }
    Vector values(static_cast<std::size_t>(count));
    for (Index k = 0; k < std::ssize(vectors); ++k) {
      kernels::scale_products(vectors[k].unit, units_.data() + first, sums.data() + k * stride, count, values.data());
      visit(k, values.data());
    }
  }

  // How far these can be off, which includes what rounds them in double precision.
  const double* missed() const { return missed_.data(); }
  const double* held() const { return norms_.data(); }
  static Slack slack(const Vectors& vectors, Index v) {
    return {.missed = vectors[v].norm * rounded_up, .held = (vectors[v].missed + 1e-14 * vectors[v].norm) * rounded_up};
  }

 private:
  // sums of a few thousand squares are right to far better than this
  static constexpr double rounded_up = 1.0 + 1e-10;
  // below it, what is lost in a product cannot be bounded relative to its size: such a column is never cleared
  static constexpr double smallest = 1e-280;

  Whole whole(const double* v) const {
    Whole out{.codes = std::vector<std::int16_t>(static_cast<std::size_t>(stride_), 0)};
    double largest = 0.0;
    for (Index i = 0; i < n_rows_; ++i) largest = std::max(largest, std::abs(v[i]));
    if (largest == 0.0) return out;
    if (largest < smallest) {
      out.norm = infinity;
      return out;
    }
    constexpr Index largest_sum = 2'147'483'647;
    out.unit = largest / static_cast<double>(std::min<Index>(32'767, largest_sum / (127 * n_rows_)));
    double square = 0.0;
    double missed = 0.0;
    for (Index i = 0; i < n_rows_; ++i) {
      const double code = std::nearbyint(v[i] / out.unit);
      const double off = (v[i] - out.unit * code) / largest;
      out.codes[i] = static_cast<std::int16_t>(code);
      square += (v[i] / largest) * (v[i] / largest);
      missed += off * off;
    }
    out.norm = largest * std::sqrt(square) * rounded_up;
    out.missed = largest * std::sqrt(missed) * rounded_up + 1e-15 * out.norm;
    return out;
  }

  void encode(const Vector& entries, Index j) {
    double largest = 0.0;
    for (const double x : entries) largest = std::max(largest, std::abs(x));
    if (largest == 0.0) return;
    if (largest < smallest) {
      missed_[j] = infinity;
      return;
    }
    units_[j] = largest / 127.0;
    double sums[2];
    kernels::encode_bytes(entries.data(), units_[j], static_cast<Index>(entries.size()), codes_.data() + j * stride_,
                          sums);
    norms_[j] = units_[j] * std::sqrt(sums[0]) * rounded_up;
    missed_[j] = units_[j] * std::sqrt(sums[1]) * rounded_up + 1e-15 * norms_[j];
  }

  Index n_rows_;
  Index stride_;
  std::vector<std::int8_t> codes_;
  // of the columns: the unit of their bytes, and the norms of what these hold and of what they miss
  Vector units_;
  Vector norms_;
  Vector missed_;
};

}  // namespace normball
