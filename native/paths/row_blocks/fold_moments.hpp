// What the rows of each fold add up to, about their own means: sums of squares and products that lose no digits however
// far the means lie off, and that join in any order (Chan, Golub & LeVeque 1983). (M50)
//
// All in one array of doubles, so that it may travel: one part for the rows that no fold holds out, then one a fold.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "core/types.hpp"

namespace normball {

// The part of one fold. Rows without weight are counted, and have no part in anything else.
struct FoldMoments {
  double* at;
  Index p;
  bool has_gram;

  static Index size(Index p, bool has_gram) { return 10 + p + (has_gram ? p * (p + 1) / 2 + p : p); }
  static void clear(double* at, Index p, bool has_gram) {
    std::fill_n(at, size(p, has_gram), 0.0);
    const FoldMoments cleared{.at = at, .p = p, .has_gram = has_gram};
    cleared.smallest() = cleared.least_offset() = infinity;
    cleared.largest() = cleared.largest_offset() = -infinity;
  }

  double& n_rows() const { return at[0]; }
  double& n_weighted() const { return at[1]; }
  double& total() const { return at[2]; }   // of the weights
  double& target() const { return at[3]; }  // its mean
  double& target_squares() const { return at[4]; }
  double& smallest() const { return at[5]; }  // target
  double& largest() const { return at[6]; }
  double& constant() const { return at[7]; }  // weighted sum of the loss's part that depends on the target alone
  double& least_offset() const { return at[8]; }
  double& largest_offset() const { return at[9]; }
  double* mean() const { return at + 10; }  // of each column
  // of the columns: sums of squares, or with `has_gram` the upper triangle of products, column by column
  double* products() const { return at + 10 + p; }
  double* cross() const { return products() + p * (p + 1) / 2; }  // products with the target, beside a Gram
  double square(Index j) const { return products()[has_gram ? j * (j + 3) / 2 : j]; }

  void join(const FoldMoments& other) const {
    n_rows() += other.n_rows();
    n_weighted() += other.n_weighted();
    if (other.total() == 0.0) return;
    if (total() == 0.0) {
      std::copy(other.at + 2, other.at + size(p, has_gram), at + 2);
      return;
    }
    const double share = other.total() / (total() + other.total());
    const double weight = total() * share;  // of a product of two differences of means
    const double target_apart = other.target() - target();
    Vector apart(static_cast<std::size_t>(p));
    for (Index j = 0; j < p; ++j) {
      apart[j] = other.mean()[j] - mean()[j];
      mean()[j] += share * apart[j];
    }
    if (has_gram) {
      double* to = products();
      const double* from = other.products();
      for (Index b = 0; b < p; ++b) {
        const double scaled = weight * apart[b];
        for (Index a = 0; a <= b; ++a) *to++ += *from++ + scaled * apart[a];
      }
      for (Index j = 0; j < p; ++j) cross()[j] += other.cross()[j] + weight * apart[j] * target_apart;
    } else {
      for (Index j = 0; j < p; ++j) products()[j] += other.products()[j] + weight * apart[j] * apart[j];
    }
    total() += other.total();
    target() += share * target_apart;
    target_squares() += other.target_squares() + weight * target_apart * target_apart;
    smallest() = std::min(smallest(), other.smallest());
    largest() = std::max(largest(), other.largest());
    constant() += other.constant();
    least_offset() = std::min(least_offset(), other.least_offset());
    largest_offset() = std::max(largest_offset(), other.largest_offset());
  }
};

// The parts of all folds.
struct MomentsOfFolds {
  std::span<double> values;
  Index p;
  bool has_gram;

  Index count() const { return std::ssize(values) / FoldMoments::size(p, has_gram); }
  FoldMoments operator[](Index f) const {
    return {.at = values.data() + f * FoldMoments::size(p, has_gram), .p = p, .has_gram = has_gram};
  }

  void clear() const {
    for (Index f = 0; f < count(); ++f) FoldMoments::clear((*this)[f].at, p, has_gram);
  }
  void join(const MomentsOfFolds& other) const {
    for (Index f = 0; f < count(); ++f) (*this)[f].join(other[f]);
  }
};

}  // namespace normball
