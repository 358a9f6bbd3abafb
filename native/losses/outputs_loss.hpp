// What solvers ask of a loss of several outputs a row: eta, residuals and curvatures are n_rows x n_outputs,
// column-major. A loss of one output is one of these too. docs/mathematics.md (M20)
#pragma once

#include "losses/loss.hpp"

namespace normball {

// Of each row: diag(d) - r r', where a loss couples its outputs, else diag(d); and what couples rows.
struct RowCurvature {
  Vector diagonal;                                     // w_i d
  Vector root;                                         // sqrt(w_i) r; empty where outputs are not coupled
  std::unique_ptr<const Coupling> coupling = nullptr;  // of the rows of one output; null where they are not
};

class OutputsLoss {
 public:
  struct Traits {
    bool is_quadratic = false;        // its curvature is the same everywhere
    bool is_location = false;         // it depends on y - eta alone
    bool is_shift_invariant = false;  // the same number may be added to all outputs
    bool is_coupled = false;          // the curvature is not diagonal
  };

  OutputsLoss(Index n_outputs, const Traits& traits) : n_outputs(n_outputs), traits(traits) {}
  virtual ~OutputsLoss() = default;
  OutputsLoss(const OutputsLoss&) = delete;
  OutputsLoss& operator=(const OutputsLoss&) = delete;

  const Index n_outputs;
  const Traits traits;

  // the mean loss, and sum w |u|^2 in the metric of the curvature's inverse (M8a, M25); residual: w u
  virtual RowSums evaluate(const double* eta, double* residual) const = 0;
  virtual void curve(const double* eta, RowCurvature& curvature) const = 0;
  // `dual` holds w_i v_i, those beyond the domain of the conjugate go back to it; what it is worth at eta (M8b, M25)
  virtual DualSums dual(const double* eta, double* dual) const = 0;
  virtual double constant() const = 0;                         // the part that depends on the targets alone
  virtual Vector link(const Vector& means) const = 0;          // eta at which the mean responses are these
  virtual double curvature_at(const Vector& means) const = 0;  // the mean over outputs
};

using OutputsLosses = std::vector<std::unique_ptr<const OutputsLoss>>;

}  // namespace normball
