// A loss of one output as one of several.
#pragma once

#include "losses/outputs_loss.hpp"

namespace normball {

class SingleOutput final : public OutputsLoss {
 public:
  SingleOutput(std::unique_ptr<const Loss> loss, Index n_rows, double least_curvature)
      : OutputsLoss(1, {.is_quadratic = loss->is_quadratic,
                        .is_location = loss->is_location,
                        .is_shift_invariant = false,
                        .is_coupled = !loss->is_separable}),
        loss_(std::move(loss)),
        n_rows_(static_cast<std::size_t>(n_rows)),
        least_curvature_(least_curvature) {}

  const Loss& loss() const { return *loss_; }

  RowSums evaluate(const double* eta, double* residual) const override {
    return loss_->evaluate(eta, {.residual = residual});
  }
  void curve(const double* eta, RowCurvature& curvature) const override {
    curvature.root.clear();
    curvature.diagonal.resize(n_rows_);
    loss_->evaluate(eta, {.curvature = curvature.diagonal.data(),
                          .least_curvature = least_curvature_,
                          .majorises = loss_->is_piecewise});
    curvature.coupling = loss_->coupling(eta);
  }
  DualSums dual(const double* eta, double* dual) const override { return loss_->dual(eta, dual); }
  double constant() const override { return loss_->constant(); }
  Vector link(const Vector& means) const override { return {loss_->link(means[0])}; }
  double curvature_at(const Vector& means) const override { return loss_->curvature_at(means[0]); }

 private:
  std::unique_ptr<const Loss> loss_;
  std::size_t n_rows_;
  double least_curvature_;
};

}  // namespace normball
