// Squared error on tall data knows X and Y by their moments alone (M31): as many rows as there are columns, a factor R
// of the Gram matrix with the targets R'^-1 X'WY, stand in for all rows, and X is never read again.
#pragma once

#include "core/blas.hpp"
#include "design/dense.hpp"
#include "paths/blocks/outputs_problem.hpp"
#include "problem/summaries.hpp"

namespace normball {

class MomentRows {
 public:
  // whether the factors of all problems take less memory and work than the rows
  static bool pays(const Design& design, const Specification& spec) {
    double entries = 0.0;
    for (Index j = 0; j < spec.n_features; ++j) entries += static_cast<double>(design.n_entries(j));
    const auto p = static_cast<double>(spec.n_features);
    return spec.family->is_quadratic && 4 * spec.n_features <= spec.n_rows &&
           p * p * static_cast<double>(spec.n_problems) <= entries;
  }

  // `of` becomes a problem of these rows, without an intercept: both are centred.
  MomentRows(const Summary& summary, OutputsProblem& of) : spec_(*of.problem.spec) {
    const Index p = spec_.n_features;
    const Vector& gram = summary.shared->gram;
    Vector size(static_cast<std::size_t>(p), 0.0);  // standardised
    for (Index j = 0; j < p; ++j) size[j] = std::sqrt(std::max(0.0, gram[j * (p + 1)]));
    Vector scaled(gram.size(), 0.0);
    for (Index b = 0; b < p; ++b) {
      for (Index a = 0; a <= b && size[b] > 0.0; ++a) {
        if (size[a] > 0.0) scaled[b * p + a] = gram[b * p + a] / (size[a] * size[b]);
      }
    }
    std::vector<int> places;
    const Index found = linalg::pivoted_cholesky(p, scaled.data(), 1e-12, places);
    const Index rank = std::max<Index>(1, found);  // where all columns are constant, one row of zeros
    factor_.assign(static_cast<std::size_t>(rank * p), 0.0);
    const double root = std::sqrt(static_cast<double>(rank));  // each row has the weight 1 / rank
    for (Index c = 0; c < p; ++c) {
      double* column = factor_.data() + places[c] * rank;
      const double unit = root * size[places[c]] * of.problem.scaling.scale[places[c]];
      for (Index r = 0; r < std::min(c + 1, found); ++r) column[r] = unit * scaled[c * p + r];
    }
    const double rest = take_targets(of, summary, scaled, places, size, found);
    design_ = dense_design(factor_.data(), rank, p, false);
    centre_.assign(size.size(), 0.0);
    design_->centre = centre_.data();
    spec_.n_rows = rank;
    spec_.fit_intercept = false;
    of.stand_in(spec_, 0.5 * rest);
  }

  const Design& design() const { return *design_; }

 private:
  // in the order of the factor; returns what no coefficients explain of sum w y^2
  double take_targets(OutputsProblem& of, const Summary& summary, const Vector& scaled, const std::vector<int>& places,
                      const Vector& size, Index found) const {
    const Index p = spec_.n_features;
    const Index rank = std::max<Index>(1, found);
    const double root = std::sqrt(static_cast<double>(rank));
    double rest = summary.variance;
    Vector reduced(static_cast<std::size_t>(rank * spec_.n_outputs), 0.0);
    for (Index k = 0; k < spec_.n_outputs; ++k) {
      for (Index r = 0; r < found; ++r) {
        const Index j = places[r];
        reduced[k * rank + r] = summary.product[k * p + j] / size[j];
      }
    }
    linalg::solve_transposed(found, spec_.n_outputs, scaled.data(), p, reduced.data(), rank);
    for (double& target : reduced) {
      rest -= target * target;
      target *= root;
    }
    of.targets = std::move(reduced);
    return std::max(rest, 0.0);
  }

  Specification spec_;
  Vector factor_;
  Vector centre_;
  std::unique_ptr<Design> design_;
};

}  // namespace normball
