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

// Which rows a problem has: problem 0 all, problem k those that fold k - 1 does not hold out, or where folds are
// `in_time` those of the folds before it and of none. Folds are numbered through all repeats, each of which deals out
// all rows.
struct FoldPlan {
  Index n_folds = 0;
  Index n_repeats = 1;
  bool in_time = false;

  Index in_a_repeat() const { return n_folds / n_repeats; }
  Index repeat_of(Index problem) const { return problem == 0 ? 0 : (problem - 1) / in_a_repeat(); }
  // by the fold, or -1, of a row in the repeat of the problem
  bool leaves_out(Index problem, Index fold) const {
    return problem > 0 && (in_time ? fold >= problem - 1 : fold == problem - 1);
  }
  // whether a part of the moments is of its rows; every repeat has those of the first part, which no fold holds out
  bool has(Index problem, Index part) const {
    return part == 0 || (repeat_of(part) == repeat_of(problem) && !leaves_out(problem, part - 1));
  }
};

// How many numbers a part has.
struct MomentShape {
  Index p;
  Index n_targets;
  bool has_gram;

  static constexpr Index of_rows = 4;
  static constexpr Index of_a_target = 6;
  Index n_facts() const { return of_rows + of_a_target * n_targets; }
  Index n_pairs() const { return p * (p + 1) / 2; }
  Index size() const { return n_facts() + p + (has_gram ? n_pairs() + p * n_targets : p); }
};

// The part of one fold. Rows without weight are counted, and have no part in anything else.
struct FoldMoments {
  double* at;
  MomentShape shape;

  void clear() const {
    std::fill_n(at, shape.size(), 0.0);
    for (Index k = 0; k < shape.n_targets; ++k) {
      smallest(k) = least_offset(k) = infinity;
      largest(k) = largest_offset(k) = -infinity;
    }
  }

  double& n_rows() const { return at[0]; }
  double& n_weighted() const { return at[1]; }
  double& total() const { return at[2]; }     // of the weights
  double& constant() const { return at[3]; }  // weighted sum of the loss's part that depends on the targets alone
  double& target(Index k) const { return fact(0, k); }  // its mean
  double& target_squares(Index k) const { return fact(1, k); }
  double& smallest(Index k) const { return fact(2, k); }  // target
  double& largest(Index k) const { return fact(3, k); }
  double& least_offset(Index k) const { return fact(4, k); }
  double& largest_offset(Index k) const { return fact(5, k); }
  double* mean() const { return at + shape.n_facts(); }  // of each column
  // of the columns: sums of squares, or with a Gram the upper triangle of products, column by column
  double* products() const { return mean() + shape.p; }
  double* cross(Index k) const { return products() + shape.n_pairs() + k * shape.p; }  // with a target, beside a Gram
  double square(Index j) const { return products()[shape.has_gram ? j * (j + 3) / 2 : j]; }
  Vector targets() const { return {at + MomentShape::of_rows, at + MomentShape::of_rows + shape.n_targets}; }

  void join(const FoldMoments& other) const {
    n_rows() += other.n_rows();
    n_weighted() += other.n_weighted();
    if (other.total() == 0.0) return;
    if (total() == 0.0) {
      std::copy(other.at + 2, other.at + shape.size(), at + 2);
      return;
    }
    const double share = other.total() / (total() + other.total());
    const double weight = total() * share;  // of a product of two differences of means
    Vector apart(static_cast<std::size_t>(shape.p));
    for (Index j = 0; j < shape.p; ++j) {
      apart[j] = other.mean()[j] - mean()[j];
      mean()[j] += share * apart[j];
    }
    join_columns(other, weight, apart);
    total() += other.total();
    constant() += other.constant();
    for (Index k = 0; k < shape.n_targets; ++k) join_target(k, other, share, weight, apart);
  }

 private:
  double& fact(Index which, Index k) const { return at[MomentShape::of_rows + which * shape.n_targets + k]; }

  void join_columns(const FoldMoments& other, double weight, const Vector& apart) const {
    double* to = products();
    const double* from = other.products();
    for (Index b = 0; b < shape.p; ++b) {
      const double scaled = weight * apart[b];
      for (Index a = shape.has_gram ? 0 : b; a <= b; ++a) *to++ += *from++ + scaled * apart[a];
    }
  }

  void join_target(Index k, const FoldMoments& other, double share, double weight, const Vector& apart) const {
    const double target_apart = other.target(k) - target(k);
    for (Index j = 0; j < shape.p && shape.has_gram; ++j) {
      cross(k)[j] += other.cross(k)[j] + weight * apart[j] * target_apart;
    }
    target(k) += share * target_apart;
    target_squares(k) += other.target_squares(k) + weight * target_apart * target_apart;
    smallest(k) = std::min(smallest(k), other.smallest(k));
    largest(k) = std::max(largest(k), other.largest(k));
    least_offset(k) = std::min(least_offset(k), other.least_offset(k));
    largest_offset(k) = std::max(largest_offset(k), other.largest_offset(k));
  }
};

// The parts of all folds.
struct MomentsOfFolds {
  std::span<double> values;
  MomentShape shape;

  Index count() const { return std::ssize(values) / shape.size(); }
  FoldMoments operator[](Index f) const { return {.at = values.data() + f * shape.size(), .shape = shape}; }

  void clear() const {
    for (Index f = 0; f < count(); ++f) (*this)[f].clear();
  }
  void join(const MomentsOfFolds& other) const {
    for (Index f = 0; f < count(); ++f) (*this)[f].join(other[f]);
  }
};

}  // namespace normball
