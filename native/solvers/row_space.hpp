// Ridge on wide data. The solution lies in the row space of X, so with the kernel X V^-1 X' = U diag(e) U' (V: the
// penalty factors) the problem is the same ridge on the n columns of Z = U diag(sqrt e), and b = V^-1 X'U diag(1/sqrt
// e) c (Hastie & Tibshirani 2004, "Efficient quadratic regularization for expression arrays"). Certificates are taken
// in feature space. (M12)
#pragma once

#include <numeric>

#include "../design/dense.hpp"
#include "../losses/loss.hpp"
#include "../problem.hpp"

namespace normball {

inline bool row_space_pays(const Specification& spec) {
  if (spec.l1_ratio != 0.0 || spec.n_rows > 1500 || spec.n_features <= std::max<Index>(256, spec.n_rows)) return false;
  for (Index j = 0; j < spec.n_features; ++j) {
    if (spec.penalty_factors[j] == 0.0) return false;
    if (spec.lower_bounds[j] != -infinity || spec.upper_bounds[j] != infinity) return false;
  }
  return true;
}

template <Design D, Loss L>
class RowSpace {
 public:
  RowSpace(const D& design, const Specification& spec, Problem& problem, Threads& threads)
      : design_(design), spec_(spec), problem_(problem), threads_(threads) {
    const Index n = spec.n_rows;
    Vector root(static_cast<std::size_t>(spec.n_features), 0.0);
    for (Index j = 0; j < spec.n_features; ++j) {
      if (!problem.is_excluded(j)) root[j] = 1.0 / (problem.scale[j] * std::sqrt(spec.penalty_factors[j]));
    }
    basis_.assign(static_cast<std::size_t>(n * n), 0.0);
    design.add_kernel(root.data(), problem.shift.data(), basis_.data());
    Vector values;
    linalg::eigen(n, basis_.data(), values);
    Index first = 0;
    while (first < n - 1 && values[first] <= 1e-13 * values[n - 1]) ++first;
    rank_ = n - first;
    basis_.erase(basis_.begin(), basis_.begin() + first * n);
    roots_.resize(static_cast<std::size_t>(rank_));
    for (Index r = 0; r < rank_; ++r) roots_[r] = std::sqrt(std::max(0.0, values[first + r]));
    for (Index r = 0; r < rank_; ++r) {
      for (Index i = 0; i < n; ++i) basis_[r * n + i] *= roots_[r];
    }
  }

  // the design of the reduced problem, which any path solver may solve
  Dense<double, false> design() const { return {.data = basis_.data(), .n_rows = spec_.n_rows, .n_cols = rank_}; }
  Index rank() const { return rank_; }

  // back to features for the solutions [begin, end) of the reduced path: coefficients, gradients and certificates
  void expand(Point* points, const Vector& lambdas, Index begin, Index end, const double* centre) {
    const Index n = spec_.n_rows;
    const Index count = end - begin;
    std::vector<Vector> rows(static_cast<std::size_t>(2 * count));  // dual coefficients, then residuals
    std::vector<Vector> eta(static_cast<std::size_t>(count));
    for (Index l = 0; l < count; ++l) {
      const Point& point = points[begin + l];
      Vector& dual = rows[l];
      dual.assign(static_cast<std::size_t>(n), 0.0);
      eta[l].assign(spec_.offset, spec_.offset + n);
      for (std::size_t f = 0; f < point.features.size(); ++f) {
        const Index r = point.features[f];
        const double* column = basis_.data() + r * n;
        const double inverse = 1.0 / (roots_[r] * roots_[r]);
        for (Index i = 0; i < n; ++i) {
          eta[l][i] += point.values[f] * column[i];
          dual[i] += point.values[f] * inverse * column[i];
        }
      }
      rows[count + l].resize(static_cast<std::size_t>(n));
      for (Index i = 0; i < n; ++i) {
        eta[l][i] += point.intercept;
        rows[count + l][i] = problem_.weights[i] * L::gradient(problem_.y[i], eta[l][i]);
      }
    }
    std::vector<Vector> products(rows.size());
    std::vector<const double*> vectors;
    std::vector<double*> out;
    for (std::size_t v = 0; v < rows.size(); ++v) {
      products[v].resize(static_cast<std::size_t>(spec_.n_features));
      vectors.push_back(rows[v].data());
      out.push_back(products[v].data());
    }
    design_.sweep({.columns = {.list = nullptr, .count = spec_.n_features},
                   .n_vectors = static_cast<Index>(rows.size()),
                   .vectors = vectors.data(),
                   .out = out.data()},
                  threads_);
    for (Index l = 0; l < count; ++l) {
      restore(points[begin + l], lambdas[begin + l], products[l], rows[l], products[count + l], rows[count + l],
              eta[l]);
      problem_.write(centre, problem_.model(), points[begin + l]);
    }
  }

 private:
  void restore(Point& point, double lambda, const Vector& coef_product, const Vector& dual,
               const Vector& gradient_product, const Vector& residual, const Vector& eta) {
    const double dual_sum = std::accumulate(dual.begin(), dual.end(), 0.0);
    const double residual_sum = std::accumulate(residual.begin(), residual.end(), 0.0);
    for (Index j = 0; j < spec_.n_features; ++j) {
      const bool out = problem_.is_excluded(j);
      problem_.coef[j] = out ? 0.0 : problem_.standardised(j, coef_product[j], dual_sum) / spec_.penalty_factors[j];
      problem_.gradient[j] = problem_.standardised(j, gradient_product[j], residual_sum);
    }
    problem_.intercept = point.intercept;
    problem_.intercept_gradient = spec_.fit_intercept ? residual_sum : 0.0;
    problem_.loss = 0.0;
    for (Index i = 0; i < spec_.n_rows; ++i) {
      if (problem_.weights[i] != 0.0) problem_.loss += problem_.weights[i] * L::value(problem_.y[i], eta[i]);
    }
    const Certificate certificate = problem_.certificate(lambda, problem_.model(), [&](double s) {
      double sum = 0.0;
      for (Index i = 0; i < spec_.n_rows; ++i) {
        if (problem_.weights[i] == 0.0) continue;
        const double u = s * L::gradient(problem_.y[i], eta[i]);
        sum += problem_.weights[i] * (L::conjugate(problem_.y[i], u) - u * spec_.offset[i]);
      }
      return sum;
    });
    point.features.clear();
    point.values.clear();
    point.dual_gap = problem_.relative(certificate.gap);
    point.kkt_violation = certificate.kkt_violation;
    if (point.dual_gap <= spec_.tol)
      point.status = Status::converged;
    else if (point.status == Status::converged)
      point.status = Status::numerical;
  }

  const D& design_;
  const Specification& spec_;
  Problem& problem_;
  Threads& threads_;
  Vector basis_;  // n x rank: Z
  Vector roots_;
  Index rank_ = 0;
};

}  // namespace normball
