// Products of sparse columns with many vectors in single precision, sixteen to a cache line where eight doubles stand,
// and a rigorous bound of what they miss. With m entries summed in four chains
//
//   |x'v - fl(x'v)|  <=  k u / (1 - k u) |x| |v|,   k = m / 4 + 12,  u = 2^-24
//
// (Higham 2002, section 3.1: a term is rounded at most k times, x and v themselves included; then Cauchy's inequality.)
#pragma once

#include <algorithm>
#include <cmath>

#include "core/interleaved_array.hpp"
#include "design/design.hpp"
#include "kernels/kernels.hpp"
#include "screening/slack.hpp"

namespace normball {

class FloatSweep {
 public:
  static constexpr Index width = kernels::float_group;
  static constexpr Index fewest = kernels::group + 1;  // vectors: for less the exact products are as cheap
  static constexpr double share = 1.0;                 // of X that is read

  // Vectors over the rows, interleaved in groups of sixteen and divided by their largest entries.
  struct Vectors {
    std::vector<InterleavedArray<float>> groups;
    Vector largest;
    Vector norms;
    Vector totals;
  };

  static bool is_possible(Index /*n_rows*/) { return true; }
  // a stretch of columns should not be small beside the rows, which it reads once over
  static Index chunk(Index n_features) { return std::max<Index>(256, n_features / 8 + 1); }

  FloatSweep(const SparseDesign& design, Threads& threads)
      : design_(design), missed_(static_cast<std::size_t>(design.n_cols)) {
    constexpr Index at_once = 256;
    threads.parallel_for((design.n_cols + at_once - 1) / at_once, [&](Index block) {
      for (Index j = block * at_once; j < std::min(design.n_cols, (block + 1) * at_once); ++j) missed_[j] = missed(j);
    });
  }

  Vectors take(const std::vector<const double*>& vectors, Threads& threads) const {
    const auto count = static_cast<Index>(vectors.size());
    Vectors out{.groups = std::vector<InterleavedArray<float>>(static_cast<std::size_t>((count + width - 1) / width)),
                .largest = Vector(vectors.size(), 0.0),
                .norms = Vector(vectors.size(), 0.0),
                .totals = Vector(vectors.size(), 0.0)};
    threads.parallel_for(std::ssize(out.groups), [&](Index g) {
      InterleavedArray<float>& rows = out.groups[g];
      rows.assign(design_.n_rows, 0.0F);
      for (Index v = g * width; v < std::min(count, (g + 1) * width); ++v) put(vectors[v], v, out);
    });
    return out;
  }

  // Products of columns first .. first + count with all vectors: visit(vector, values), the values to be used as the
  // visitor likes.
  template <class Visit>
  void multiply(const Vectors& vectors, Index first, Index count, const Visit& visit) const {
    const auto n_vectors = static_cast<Index>(vectors.norms.size());
    Vector values(static_cast<std::size_t>(count * width));
    for (Index begin = 0; begin < n_vectors; begin += width) {
      const Index n_here = std::min(width, n_vectors - begin);
      const float* rows = vectors.groups[begin / width].data();
      for (Index c = 0; c < count; ++c) {
        float sums[width];
        design_.dot(first + c, rows, sums);
        const double centre = design_.stored_centre(first + c);
        for (Index place = 0; place < n_here; ++place) {
          const Index v = begin + place;
          values[place * count + c] =
              vectors.largest[v] * static_cast<double>(sums[place]) - centre * vectors.totals[v];
        }
      }
      for (Index place = 0; place < n_here; ++place) visit(begin + place, values.data() + place * count);
    }
  }

  const double* missed() const { return missed_.data(); }
  static const double* held() { return nullptr; }
  static Slack slack(const Vectors& vectors, Index v) { return {.missed = vectors.norms[v]}; }

 private:
  // entries within keep their digits in single precision, and so do their products; other columns are never cleared
  static constexpr double smallest = 1e-25;
  static constexpr double largest = 1e25;

  double missed(Index j) const {
    double most = 0.0;
    double square = 0.0;
    for_each_entry(design_, j, [&](Index, double x) {
      most = std::max(most, std::abs(x));
      square += x * x;
    });
    if (most == 0.0) return 0.0;
    const double rounded = (static_cast<double>(design_.n_entries(j)) / 4.0 + 12.0) * 0x1p-24;
    if (!(most >= smallest && most <= largest && rounded < 0.5)) return infinity;
    return rounded / (1.0 - rounded) * std::sqrt(square);
  }

  void put(const double* vector, Index v, Vectors& out) const {
    double most = 0.0;
    for (Index i = 0; i < design_.n_rows; ++i) most = std::max(most, std::abs(vector[i]));
    if (most == 0.0) return;
    const double unit = most >= 1e-290 ? most : 1.0;  // smaller ones would not bear the division
    float* rows = out.groups[v / width].data() + v % width;
    double square = 0.0;
    for (Index i = 0; i < design_.n_rows; ++i) {
      const double value = vector[i] / unit;
      rows[i * width] = static_cast<float>(value);
      square += value * value;
      out.totals[v] += vector[i];
    }
    out.largest[v] = unit;
    out.norms[v] = unit == most ? unit * std::sqrt(square) : infinity;
  }

  const SparseDesign& design_;
  Vector missed_;  // of the columns: the bound over |v|
};

}  // namespace normball
