// X'DX of blocks of rows in few digits: a model of the curvature that is stale anyway needs no more. (M18)
//
// Bytes where the CPU multiplies them, single precision elsewhere. An entry of a block is rounded up or down at random,
// so that its expectation is exact (stochastic rounding: Croci et al. 2022), by units of the block's largest entry of
// that column: the sums of squares grow by at most 64 / 126^2 of themselves, and what columns have in common not at
// all.
#pragma once

#include <vector>

#include "core/blas.hpp"
#include "kernels/kernels.hpp"

namespace normball {

class RoughGram {
 public:
  // for blocks of up to `n_rows` rows, a multiple of 16, which follow each other in the columns by this number
  RoughGram(Index n_columns, Index n_rows, bool in_bytes)
      : n_columns_(n_columns), n_rows_(n_rows), width_(stride(n_columns)), in_bytes_(in_bytes) {
    if (in_bytes_) {
      codes_.assign(static_cast<std::size_t>(n_rows * width_), 0);
      units_.assign(static_cast<std::size_t>(width_), 0.0F);
      sums_.assign(units_.size(), 0);
    } else {
      floats_.resize(static_cast<std::size_t>(n_rows * n_columns));
    }
  }

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
        kernels::scale(inverse_scales[a], root, x + a * n_rows_, floats_.data() + a * n_rows_, count);
      }
      linalg::add_at_a(n_columns_, count, 1.0F, floats_.data(), n_rows_, sums.data(), width_);
      return;
    }
    const kernels::ByteRows rows{.width = width_, .codes = codes_.data(), .units = units_.data(), .sums = sums_.data()};
    for (Index a = 0; a < n_columns_; ++a) {
      const auto seed = static_cast<std::uint32_t>(first * n_columns_ + names[a]);
      kernels::round_to_bytes(inverse_scales[a], root, x + a * n_rows_, count, seed, a, rows);
    }
    kernels::add_byte_gram(rows, (count + 3) / 4, sums.data());
  }

 private:
  Index n_columns_;
  Index n_rows_;
  Index width_;
  bool in_bytes_;
  std::vector<std::int8_t> codes_;
  std::vector<float> units_;
  std::vector<std::int32_t> sums_;
  std::vector<float> floats_;
};

}  // namespace normball
