// The row space of wide data: with the kernel X V^-1 X' = U diag(e) U' (V: the penalty factors) a ridge is the same
// ridge on the few columns of Z = U diag(sqrt e) (Hastie & Tibshirani 2004). docs/mathematics.md (M12)
#pragma once

#include <numeric>

#include "core/blas.hpp"
#include "design/dense.hpp"
#include "kernels/kernels.hpp"
#include "paths/path.hpp"
#include "paths/path_solver.hpp"

namespace normball {

// The kernel of all rows, upper triangle. Problems that scale the columns alike (folds, unless they standardise)
// share it; each then centres it at its own means.
class RowKernel {
 public:
  explicit RowKernel(const Design& design) : design_(design) {}

  // true where X had to be read
  bool prepare(const Specification& spec, const Problem& problem) {
    Vector root(static_cast<std::size_t>(spec.n_features), 0.0);
    for (Index j = 0; j < spec.n_features; ++j) {
      if (!problem.is_excluded(j)) root[j] = 1.0 / (problem.scaling.scale[j] * std::sqrt(problem.penalty.factor(j)));
    }
    if (root == root_) return false;
    root_ = std::move(root);
    const Index n = spec.n_rows;
    raw_.assign(static_cast<std::size_t>(n * n), 0.0);
    design_.add_kernel(root_.data(), raw_.data());
    return true;
  }

  // about the weighted means of the rows, where columns may be shifted
  Vector centred(const Specification& spec, const Problem& problem) const {
    const Index n = spec.n_rows;
    Vector kernel = raw_;
    if (!spec.may_centre()) return kernel;
    Vector mean(static_cast<std::size_t>(n), 0.0);
    for (Index b = 0; b < n; ++b) {
      for (Index a = 0; a <= b; ++a) {
        mean[a] += raw_[b * n + a] * problem.weights[b];
        if (a < b) mean[b] += raw_[b * n + a] * problem.weights[a];
      }
    }
    const double centre = std::inner_product(mean.begin(), mean.end(), problem.weights.begin(), 0.0);
    for (Index b = 0; b < n; ++b) {
      for (Index a = 0; a <= b; ++a) kernel[b * n + a] += centre - mean[a] - mean[b];
    }
    return kernel;
  }

 private:
  const Design& design_;
  Vector root_;  // per column
  Vector raw_;
};

// Columns that span the row space, in the order of their length.
struct RowBasis {
  Vector columns;  // n x rank: U, or Z
  Vector values;   // e

  RowBasis(Vector kernel, Index n_rows) : columns(std::move(kernel)) {
    linalg::eigen(n_rows, columns.data(), values);
    Index first = 0;
    while (first < n_rows - 1 && values[first] <= 1e-13 * values[n_rows - 1]) ++first;
    columns.erase(columns.begin(), columns.begin() + first * n_rows);
    values.erase(values.begin(), values.begin() + first);
    for (double& value : values) value = std::max(0.0, value);
  }

  Index rank() const { return std::ssize(values); }

  // from U to Z
  void stretch() {
    const Index n = std::ssize(columns) / rank();
    for (Index r = 0; r < rank(); ++r) {
      for (Index i = 0; i < n; ++i) columns[r * n + i] *= std::sqrt(values[r]);
    }
  }

  // Z theta, and what X' makes the coefficients of: Z diag(1/e) theta; both are added to
  void unfold(const Point& point, Index n_rows, double* eta, double* dual) const {
    for (std::size_t f = 0; f < point.features.size(); ++f) {
      const Index r = point.features[f];
      const double* column = columns.data() + r * n_rows;
      kernels::axpy(point.values[f], column, 0.0, eta, n_rows);
      kernels::axpy(point.values[f] / values[r], column, 0.0, dual, n_rows);
    }
  }
};

// Problem k of a batch on the columns Z, all lambdas of the result; false if it was interrupted. The certificate that
// counts is taken in feature space: `tol` is less than what is asked there.
bool solve_on_basis(const RowBasis& basis, const Specification& spec, const PerProblem& responses,
                    const PerProblem& offsets, Index k, double tol, PathResult& result, Threads& threads,
                    const Monitor::Poll& poll);

// A ridge on wide data of few rows, without bounds, and without coefficients that have no penalty.
bool row_space_pays(const Specification& spec);

}  // namespace normball
