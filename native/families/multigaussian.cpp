#include <algorithm>

#include "losses/family.hpp"

namespace normball {
namespace {

// f = |y - eta|^2 / 2
class SquaredErrors final : public OutputsLoss {
 public:
  SquaredErrors(Index n_outputs, const double* y, const double* weights, Index n_rows)
      : OutputsLoss(n_outputs,
                    {.is_quadratic = true, .is_location = true, .is_shift_invariant = false, .is_coupled = false}),
        y_(y),
        weights_(weights),
        n_rows_(n_rows) {}

  RowSums evaluate(const double* eta, double* residual) const override {
    double squares = 0.0;
    for (Index k = 0; k < n_outputs; ++k) {
      for (Index i = 0; i < n_rows_; ++i) {
        const Index at = k * n_rows_ + i;
        const double off = weights_[i] == 0.0 ? 0.0 : eta[at] - y_[at];
        residual[at] = weights_[i] * off;
        squares += residual[at] * off;
      }
    }
    return {.loss = 0.5 * squares, .residual = 0.0, .pearson = squares, .squares = squares};
  }

  void curve(const double* /*eta*/, RowCurvature& curvature) const override {
    curvature.root.clear();
    curvature.diagonal.resize(static_cast<std::size_t>(n_rows_ * n_outputs));
    for (Index k = 0; k < n_outputs; ++k) std::copy_n(weights_, n_rows_, curvature.diagonal.data() + k * n_rows_);
  }

  DualSums dual(const double* eta, double* dual) const override {
    DualSums sums;
    for (Index at = 0; at < n_rows_ * n_outputs; ++at) {
      const double w = weights_[at % n_rows_];
      if (w == 0.0) continue;
      const double off = dual[at] / w - (eta[at] - y_[at]);
      sums.dual_pearson += w * off * off;
      sums.pearson += dual[at] * dual[at] / w;
    }
    return sums;
  }

  double constant() const override { return 0.0; }
  Vector link(const Vector& means) const override { return means; }
  double curvature_at(const Vector& /*means*/) const override { return 1.0; }

 private:
  const double* y_;
  const double* weights_;
  Index n_rows_;
};

const Family multigaussian = family_of_outputs<SquaredErrors>(
    "multigaussian", {.is_quadratic = true, .is_location = true, .is_piecewise = false, .is_separable = true});

}  // namespace
}  // namespace normball
