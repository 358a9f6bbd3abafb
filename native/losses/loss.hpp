// What the solvers ask of a loss. It is an object made for one problem: it knows that problem's targets and weights.
// A family's loss is reached through this interface, so that a solver is compiled once for all of them; what is asked
// for is a sum over many rows, which a virtual call does not slow down. docs/mathematics.md (M2)
#pragma once

#include <memory>

#include "losses/rows.hpp"

namespace normball {

// What solvers may rely on, known before there is a problem.
struct LossTraits {
  bool is_quadratic = false;        // f'' is 1 everywhere
  bool is_location = false;         // f depends on y - eta alone
  bool is_piecewise = false;        // f'' jumps, and is 0 on some pieces
  bool is_separable = false;        // a sum over rows, so that it may be had of some of them
  bool is_shift_invariant = false;  // the same number may be added to all of eta, so that there is no intercept
  Index target_width = 1;           // numbers that a row's target is made of, where there is one output
};

// The targets of the rows that count, as a null model sees them.
struct TargetRange {
  double mean = 0.0;
  double smallest = infinity;
  double largest = -infinity;
};

// What holds rows together in the curvature of a loss that is no sum over them: H = diag(d) - M'M at some eta. (M34)
class Coupling {
 public:
  Coupling() = default;
  virtual ~Coupling() = default;
  Coupling(const Coupling&) = delete;
  Coupling& operator=(const Coupling&) = delete;

  virtual Index n_terms() const = 0;  // rows of M
  // out = M v, of so many vectors, the first elements of two of them `stride` apart
  virtual void project(const double* v, Index stride, Index count, double* out) const = 0;
  virtual void take_back(const double* terms, double* out) const = 0;  // out -= M' terms
  // As the loss's own `dual`, after a step that led to `eta`: `dual` holds the residual that a model with this
  // curvature expected there. Infinite where that is not known to be in the domain of the conjugate.
  virtual DualSums dual(const double* step, const double* eta, const double* dual) const = 0;
};

// The second derivative of a loss at some eta: diag(d) - M'M.
struct LossCurvature {
  Vector diagonal;
  std::unique_ptr<const Coupling> coupling = nullptr;  // null where there is no M

  // out += what it makes of a step of eta
  void add_product(const Vector& step, Vector& out) const {
    for (std::size_t i = 0; i < step.size(); ++i) out[i] += diagonal[i] * step[i];
    if (coupling == nullptr) return;
    Vector terms(static_cast<std::size_t>(coupling->n_terms()));
    coupling->project(step.data(), std::ssize(step), 1, terms.data());
    coupling->take_back(terms.data(), out.data());
  }
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

  // null where the curvature is diagonal; without it a parabola is steeper
  virtual std::unique_ptr<const Coupling> coupling(const double* /*eta*/) const { return nullptr; }
  LossCurvature curve(const Vector& eta, double least_curvature, bool majorises) const {
    LossCurvature out{.diagonal = Vector(eta.size())};
    evaluate(eta.data(),
             {.curvature = out.diagonal.data(), .least_curvature = least_curvature, .majorises = majorises});
    if (!majorises) out.coupling = coupling(eta.data());
    return out;
  }

  // of a loss of times to an event, the logarithm of the cumulative hazard at each time where eta is 0
  virtual Vector log_hazards(const double* /*eta*/) const { return {}; }

  virtual TargetRange targets() const = 0;
  virtual double constant() const = 0;                 // the part of the loss that depends on the targets alone
  virtual double link(double mean) const = 0;          // eta at which the mean response is this
  virtual double curvature_at(double mean) const = 0;  // f'' there, where y is the mean
  // how far the intercept is from its best, exact where the offset is constant: of the mean of y, and the mean of f'
  // and f'' here
  virtual double null_step(double mean, double residual, double curvature) const = 0;
};

using Losses = std::vector<std::unique_ptr<const Loss>>;  // of the problems of a batch

}  // namespace normball
