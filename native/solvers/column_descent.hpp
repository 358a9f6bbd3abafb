// Coordinate descent on the columns themselves, for working sets too large for a dense H (an elastic net with a
// small l1_ratio on wide data). The model is 1/2 |step|_D^2 + residual'step with D = diag(d).
#pragma once

#include "../problem.hpp"

namespace normball {

// The vector residual + D (X step + intercept step), whose part along d is kept as one number, so that a step on a
// sparse column touches the rows of its entries only.
template <Design D>
class ColumnModel {
 public:
  ColumnModel(const D& design, const Problem& problem, const std::vector<Index>& set, const Vector& d, Vector residual)
      : design_(design),
        problem_(problem),
        set_(set),
        d_(d),
        residual_(std::move(residual)),
        means_(set.size(), 0.0),
        curvatures_(set.size(), 0.0) {
    for (std::size_t i = 0; i < d_.size(); ++i) {
      total_ += d_[i];
      residual_sum_ += residual_[i];
    }
    for (std::size_t s = 0; s < set_.size(); ++s) {
      double square = 0.0;
      design_.for_each_entry(set_[s], [&](Index i, double x) {
        means_[s] += d_[i] * x;
        square += d_[i] * x * x;
      });
      const double e = centre(s);
      const double scale = problem_.scale[set_[s]];
      curvatures_[s] = std::max(0.0, square - 2.0 * e * means_[s] + e * e * total_) / (scale * scale);
    }
  }

  double curvature(std::size_t s) const { return curvatures_[s]; }

  double gradient(std::size_t s) const {
    double product = 0.0;
    design_.for_each_entry(set_[s], [&](Index i, double x) { product += x * residual_[i]; });
    return (product + along_d_ * means_[s] - centre(s) * sum()) / problem_.scale[set_[s]];
  }

  void step(std::size_t s, double size) {
    const double raw = size / problem_.scale[set_[s]];
    design_.for_each_entry(set_[s], [&](Index i, double x) { residual_[i] += raw * d_[i] * x; });
    residual_sum_ += raw * means_[s];
    along_d_ -= raw * centre(s);
  }

  double step_intercept() {
    const double size = -sum() / total_;
    along_d_ += size;
    return size;
  }

 private:
  double centre(std::size_t s) const { return design_.stored_centre(set_[s]) + problem_.shift[set_[s]]; }
  double sum() const { return residual_sum_ + along_d_ * total_; }

  const D& design_;
  const Problem& problem_;
  const std::vector<Index>& set_;
  const Vector& d_;
  Vector residual_;
  double residual_sum_ = 0.0;
  double along_d_ = 0.0;
  double total_ = 0.0;
  Vector means_;
  Vector curvatures_;
};

// b is moved to the model's minimiser; returns the intercept's step
template <Design D>
double descend_columns(const D& design, const Problem& problem, const std::vector<Index>& set,
                       const std::vector<ElasticNet>& terms, const Vector& d, const Vector& residual, double tolerance,
                       Monitor& monitor, Vector& b) {
  ColumnModel<D> model(design, problem, set, d, residual);
  constexpr int largest_n_passes = 2000;
  double intercept_step = 0.0;
  bool whole_set = true;
  for (int pass = 0; pass < largest_n_passes && !monitor.stopped(); ++pass) {
    if (problem.spec->fit_intercept) intercept_step += model.step_intercept();
    double worst = 0.0;
    for (std::size_t s = 0; s < set.size(); ++s) {
      if (!whole_set && b[s] == 0.0) continue;
      const double gradient = model.gradient(s);
      worst = std::max(worst, terms[s].violation(gradient, b[s]));
      const double curvature = model.curvature(s);
      if (curvature + terms[s].l2 <= 0.0) continue;
      const double step = terms[s].prox(curvature * b[s] - gradient, curvature) - b[s];
      if (step == 0.0) continue;
      model.step(s, step);
      b[s] += step;
    }
    if (worst <= tolerance && whole_set) break;
    whole_set = worst <= tolerance || pass % 10 == 9;  // passes over the nonzero coefficients in between
  }
  if (problem.spec->fit_intercept) intercept_step += model.step_intercept();
  return intercept_step;
}

}  // namespace normball
