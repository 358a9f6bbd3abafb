// The quadratic models of up to eight lambdas of one problem, minimised side by side on a row-wise copy of its columns:
// an entry meets all of them in one vector register of single precision. Conjugate gradients with the diagonal as
// preconditioner, signs held; now and then signs are looked at, and only the models whose signs change start anew.
// Single precision is enough, since a model starts from an exact gradient and its minimiser is proved exactly.
#pragma once

#include <array>

#include "core/interleaved_array.hpp"
#include "core/threads.hpp"
#include "design/row_copy.hpp"

namespace normball {

inline constexpr Index n_side_by_side = 8;

// aligned alike for every CPU that a pass is compiled for
using Eight = float __attribute__((vector_size(32), aligned(32)));
using RowsOfEight = InterleavedArray<float, n_side_by_side>;
using EightNumbers = std::array<double, n_side_by_side>;

// minimise over x in every model:  gradient'x + 1/2 |X x|_d^2 + sum_c l1 |b_c + x_c| + l2 / 2 (b_c + x_c)^2 on
// [lower, upper], with the intercept profiled out. X is the copy, its columns over their norms; d sums to 1; a column's
// l1 and l2 are shares of those of the model.
class EightModels {
 public:
  struct Column {
    float l1;
    float l2;
    float lower;
    float upper;
  };

  EightModels(const RowCopy& copy, std::vector<Column> columns, bool has_intercept);

  // To be filled in: of the rows in the copy's order, and of the columns.
  RowsOfEight& d() { return d_; }
  RowsOfEight& b() { return b_; }
  RowsOfEight& gradient() { return gradient_; }

  struct Question {
    EightNumbers l1{};
    EightNumbers l2{};
    EightNumbers shift{};   // this many of the columns' means come to the gradients: the intercept's step
    EightNumbers target{};  // how small the gradients of the active coordinates are to be
    EightNumbers shrink{};  // or this share of the largest at the beginning
    std::array<bool, n_side_by_side> open{};
  };
  void minimise(const Question& question, Monitor& monitor);

  // Afterwards: how far a coordinate went, whether a kink or a bound holds it there, and the largest gradient left.
  bool is_held(Index c, Index k) const { return inverse_[c][k] == 0.0F; }
  double left(Index k) const { return static_cast<double>(largest_[k]); }
  float change(Index c, Index k) const { return x_[c][k]; }
  // X x, in the copy's order of rows
  void times_change(RowsOfEight& out) const;

  Index n_products() const { return n_products_; }  // X'd X with eight vectors, so far

  struct Arrays;

 private:
  Arrays arrays();
  void measure();
  void start(const Question& question);
  void restart(const Eight& which);
  void multiply(const RowsOfEight& s, RowsOfEight& product, Eight* sums);
  void step();
  bool is_worth_a_look(int since) const;
  void look();
  void go_trial();
  void judge(const Eight& which, const Eight& gained, Eight& stuck);
  void keep_best(const Eight& which, Eight& kept);
  void back_to_best(const Eight& which);
  void shorten(const Eight& which, const Eight& gained);

  const RowCopy& copy_;
  std::vector<Column> columns_;
  bool has_intercept_;
  RowsOfEight d_;
  RowsOfEight b_;
  RowsOfEight gradient_;  // with that of l2, at b + x
  Eight l1_{};
  Eight l2_{};
  Eight target_{};
  Eight running_{};  // 1 where a model is not finished, else 0
  RowsOfEight means_;
  RowsOfEight every_inverse_;  // of the diagonal; 0 where a column has no curvature
  RowsOfEight at_start_;       // the gradient at b
  RowsOfEight x_;
  RowsOfEight slope_;    // l1 times the sign that is held; 0 where not active
  RowsOfEight inverse_;  // every_inverse_ where active, else 0
  RowsOfEight search_;
  RowsOfEight product_;  // 0 between two products
  RowsOfEight trial_;
  RowsOfEight unprojected_;
  RowsOfEight best_x_;
  RowsOfEight best_gradient_;
  Eight best_{};       // value there
  Eight squares_{};    // r' M r of the gradient r left, with the preconditioner M
  Eight floor_{};      // s' M^-1 s of the direction s
  Eight ridge_{};      // the part of l2 in s'H s
  Eight largest_{};    // |r|
  Eight last_look_{};  // the smallest `largest_` at which signs were looked at
  Eight is_blind_{};   // 1 where single precision sees no curvature along the direction
  std::array<int, n_side_by_side> n_fails_{};
  int longest_look_ = 0;
  Index n_products_ = 0;
};

}  // namespace normball
