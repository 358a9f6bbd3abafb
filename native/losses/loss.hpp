// What the solvers ask of a loss. It is an object made for one problem: it knows that problem's targets and weights.
// A family's loss is reached through this interface, so that a solver is compiled once for all of them; what is asked
// for is a sum over many rows, which a virtual call does not slow down. docs/mathematics.md (M2)
#pragma once

#include <memory>

#include "losses/rows.hpp"

namespace normball {

// What solvers may rely on, known before there is a problem.
struct LossTraits {
  bool is_quadratic = false;  // f'' is 1 everywhere
  bool is_location = false;   // f depends on y - eta alone
  bool is_piecewise = false;  // f'' jumps, and is 0 on some pieces
  bool is_separable = false;  // a sum over rows, so that it may be had of some of them
};

class Loss : public LossTraits {
 public:
  explicit Loss(const LossTraits& traits) : LossTraits(traits) {}
  virtual ~Loss() = default;
  Loss(const Loss&) = delete;
  Loss& operator=(const Loss&) = delete;

  // what else is wanted than the sums
  struct Wanted {
    double* residual = nullptr;
    double* curvature = nullptr;
    double least_curvature = 0.0;
    bool majorises = false;
  };

  virtual RowSums evaluate(const double* eta, const Wanted& wanted) const = 0;
  RowSums evaluate(const double* eta) const { return evaluate(eta, {}); }

  // on the rows [first, first + count), whose eta is given, where the loss is separable
  virtual RowSums evaluate(Index first, Index count, const double* eta, const Wanted& wanted) const = 0;

  // `dual` holds w_i u_i; those for which (M8b) does not hold go to the nearest for which it does
  virtual DualSums dual(const double* eta, double* dual) const = 0;

  virtual double constant() const = 0;                 // the part of the loss that depends on the targets alone
  virtual double link(double mean) const = 0;          // eta at which the mean response is this
  virtual double curvature_at(double mean) const = 0;  // f'' there, where y is the mean
  // how far the intercept is from its best, exact where the offset is constant: of the mean of y, and the mean of f'
  // and f'' here
  virtual double null_step(double mean, double residual, double curvature) const = 0;
};

using Losses = std::vector<std::unique_ptr<const Loss>>;  // of the problems of a batch

}  // namespace normball
