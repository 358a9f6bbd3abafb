// X'DX of blocks of rows in few digits: a model of the curvature that is stale anyway needs no more. (M18)
//
// Bytes where the CPU multiplies sixty-four of them at once, whole numbers of thirteen bits elsewhere. A byte is
// rounded up or down at random, so that its expectation is exact (stochastic rounding: Croci et al. 2022), by units of
// the block's largest entry of that column: the sums of squares grow by at most 64 / 126^2 of themselves, and what
// columns have in common not at all. Thirteen bits are rounded to the nearest.
#pragma once

#include <vector>

#include "kernels/byte_kernels.hpp"
#include "kernels/kernels.hpp"

namespace normball {

class RoughGram {
 public:
  static constexpr Index block = 256;  // rows at most

  RoughGram(Index n_columns, bool in_bytes)
      : n_columns_(n_columns),
        width_(stride(n_columns)),
        in_bytes_(in_bytes),
        bytes_(static_cast<std::size_t>(in_bytes ? block * width_ : 0), 0),
        codes_(static_cast<std::size_t>(in_bytes ? 0 : block * width_), 0),
        units_(static_cast<std::size_t>(width_), 0.0F),
        sums_(static_cast<std::size_t>(in_bytes ? width_ : 4 * width_), 0) {}

  // between the columns of sums
  static Index stride(Index n_columns) { return (n_columns + 15) / 16 * 16; }

  // what add() adds to
  std::vector<float> empty_sums() const { return std::vector<float>(static_cast<std::size_t>(width_ * width_), 0.0F); }

  // sums += X'DX of `count` rows, d_i = root_i^2, the columns divided by their scales. Chance knows the row they begin
  // with and the columns' names, so that neither the order of columns nor the number of threads is felt.
  void add(const double* x, const Index* names, const double* inverse_scales, const double* root, Index first,
           Index count, std::vector<float>& sums) {
    if (!in_bytes_) {
      for (Index a = 0; a < n_columns_; ++a) {
        units_[a] = kernels::round_to_whole(inverse_scales[a], root, x + a * block, count, codes_.data() + a * block);
      }
      add_whole_gram(sums);
      return;
    }
    const kernels::ByteRows rows{.width = width_, .codes = bytes_.data(), .units = units_.data(), .sums = sums_.data()};
    for (Index a = 0; a < n_columns_; ++a) {
      const auto seed = static_cast<std::uint32_t>(first * n_columns_ + names[a]);
      kernels::round_to_bytes(inverse_scales[a], root, x + a * block, count, seed, a, rows);
    }
    kernels::add_byte_gram(rows, (count + 3) / 4, sums.data());
  }

 private:
  // four columns meet all from themselves on
  void add_whole_gram(std::vector<float>& sums) {
    std::vector<const std::int16_t*> columns(static_cast<std::size_t>(width_));
    for (Index a = 0; a < width_; ++a) columns[a] = codes_.data() + a * block;
    for (Index a = 0; a < n_columns_; a += 4) {
      kernels::whole_products4(columns.data() + a, columns.data() + a, n_columns_ - a, block, sums_.data(), 4);
      for (Index b = a; b < n_columns_; ++b) {
        for (Index q = 0; q < 4; ++q) {
          sums[b * width_ + a + q] += units_[b] * units_[a + q] * static_cast<float>(sums_[4 * (b - a) + q]);
        }
      }
    }
  }

  Index n_columns_;
  Index width_;
  bool in_bytes_;
  std::vector<std::int8_t> bytes_;
  std::vector<std::int16_t> codes_;
  std::vector<float> units_;
  std::vector<std::int32_t> sums_;
};

}  // namespace normball
