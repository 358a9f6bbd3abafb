// Squared error on tall data: the whole path lives in p-space. One Gram matrix of the design serves every lambda;
// the Gram of a problem whose weights differ from the first problem's on few rows (a fold: zeros) is the first
// one plus those rows' part. After that X is never read again. (M11)
#pragma once

#include "../problem.hpp"
#include "quadratic.hpp"

namespace normball {

template <Design D>
class Moments {
 public:
  static constexpr bool is_quadratic = true;
  static constexpr double first_factor = 1e-8;  // KKT tolerance to begin with: an exact step is cheap here

  Moments(const D& design, const Specification& spec, std::vector<Problem>& problems, Threads& threads, Monitor&)
      : spec_(spec), problems_(problems), states_(problems.size()) {
    products(design, threads);
    grams(design, threads);
    threads.parallel_for(spec.n_problems, [&](Index k) {
      if (is_plain_ridge(problems_[k])) diagonalise(k);
    });
  }

  double n_sweeps() const { return 2.0; }  // X was read for X'y and for the Gram

  void fit_null(Index k) {
    if (states_[k].eigenvalues.empty()) {
      step(k, infinity, 1e-12 * std::sqrt(states_[k].variance));
    } else {
      refresh_gradient(k);
    }
  }

  void begin(Index k, double lambda, double /*previous*/) {
    State& state = states_[k];
    state.terms.resize(static_cast<std::size_t>(spec_.n_features));
    for (Index j = 0; j < spec_.n_features; ++j) state.terms[j] = problems_[k].term(j, lambda);
  }

  int solve(Index k, double lambda, double tolerance, int /*max_steps*/) {
    if (states_[k].eigenvalues.empty()) {
      step(k, lambda, tolerance);
    } else {
      ridge(k, lambda);
    }
    return 1;
  }

  Certificate certify(Index k, double lambda) const {
    const Problem& problem = problems_[k];
    double explained = 0.0;
    for (Index j = 0; j < spec_.n_features; ++j) explained += problem.coef[j] * states_[k].product[j];
    const double cross = states_[k].variance - explained;  // sum w r y
    return problem.certificate(lambda, problem.model(), [&](double s) { return s * s * problem.loss - s * cross; });
  }

 private:
  struct State {
    Vector gram;     // p x p, standardised
    Vector product;  // X'(y - o), centred and standardised
    double variance = 0.0;
    std::vector<ElasticNet> terms;
    QuadraticSolver solver;
    Vector eigenvalues;  // of the scaled Gram, whose eigenvectors then stand in `gram`; empty unless plain ridge
    Vector rotated;
  };

  Index n_features() const { return spec_.n_features; }
  Columns all() const { return {.list = nullptr, .count = spec_.n_features}; }

  void products(const D& design, Threads& threads) {
    const Index n = spec_.n_rows;
    std::vector<Vector> targets(problems_.size());
    std::vector<const double*> vectors;
    std::vector<double*> out;
    for (std::size_t k = 0; k < problems_.size(); ++k) {
      Problem& problem = problems_[k];
      Vector& target = targets[k];
      target.resize(static_cast<std::size_t>(n));
      double mean = 0.0;
      for (Index i = 0; i < n; ++i) {
        target[i] = problem.y[i] - spec_.offset[i];
        mean += problem.weights[i] * target[i];
        problem.negligible_loss += 0.5e-26 * problem.weights[i] * target[i] * target[i];
      }
      problem.intercept = spec_.fit_intercept ? mean : 0.0;
      for (Index i = 0; i < n; ++i) {
        const double centred = target[i] - problem.intercept;
        states_[k].variance += problem.weights[i] * centred * centred;
        target[i] = problem.weights[i] * centred;
      }
      states_[k].product.resize(static_cast<std::size_t>(n_features()));
      vectors.push_back(target.data());
      out.push_back(states_[k].product.data());
    }
    design.sweep({.columns = all(), .n_vectors = spec_.n_problems, .vectors = vectors.data(), .out = out.data()},
                 threads);
    for (std::size_t k = 0; k < problems_.size(); ++k) {
      double total = 0.0;
      for (Index i = 0; i < n; ++i) total += targets[k][i];
      Vector& product = states_[k].product;
      for (Index j = 0; j < n_features(); ++j) product[j] = problems_[k].standardised(j, product[j], total);
    }
  }

  void grams(const D& design, Threads& threads) {
    const Index p = n_features();
    const Index n = spec_.n_rows;
    const auto size = static_cast<std::size_t>(p * p);
    Vector total(size, 0.0);
    Vector sums(static_cast<std::size_t>(p), 0.0);
    design.add_gram({.columns = all(), .d = spec_.weights, .out = total.data(), .stride = p, .sums = sums.data()},
                    threads);
    threads.parallel_for(spec_.n_problems, [&](Index k) {
      const double* w = spec_.weights + k * n;
      Vector& gram = states_[k].gram;
      Vector change(static_cast<std::size_t>(n));
      Index n_changed = 0;
      for (Index i = 0; i < n; ++i) n_changed += w[i] != spec_.weights[i];
      Vector ignored(static_cast<std::size_t>(p), 0.0);
      Gram part{.columns = all(), .d = change.data(), .stride = p, .sums = ignored.data()};
      if (2 * n_changed > n) {  // cheaper, and more exact, from scratch
        gram.assign(size, 0.0);
        part.out = gram.data();
        part.d = w;
        design.add_gram(part, threads);
      } else {
        gram = total;
        part.out = gram.data();
        for (const double sign : {1.0, -1.0}) {
          for (Index i = 0; i < n; ++i) change[i] = std::max(0.0, sign * (w[i] - spec_.weights[i]));
          part.sign = sign;
          if (n_changed > 0) design.add_gram(part, threads);
        }
      }
      standardise(k, w);
    });
  }

  void standardise(Index k, const double* w) {
    const Problem& problem = problems_[k];
    const Index p = n_features();
    double total = 0.0;
    for (Index i = 0; i < spec_.n_rows; ++i) total += w[i];
    double* gram = states_[k].gram.data();
    for (Index b = 0; b < p; ++b) {
      for (Index a = 0; a <= b; ++a) {
        const double scale = problem.scale[a] * problem.scale[b];
        const double raw = gram[b * p + a] / total - problem.shift[a] * problem.shift[b];
        gram[b * p + a] = gram[a * p + b] = scale > 0.0 ? raw / scale : 0.0;
      }
    }
  }

  void step(Index k, double lambda, double tolerance) {
    begin(k, lambda, lambda);
    Problem& problem = problems_[k];
    State& state = states_[k];
    refresh_gradient(k);
    state.solver.solve(
        {.size = n_features(), .H = state.gram.data(), .stride = n_features(), .terms = state.terms.data()},
        problem.coef.data(), problem.gradient.data(), tolerance);
    refresh_gradient(k);
  }

  void refresh_gradient(Index k) {
    Problem& problem = problems_[k];
    const State& state = states_[k];
    for (Index j = 0; j < n_features(); ++j) problem.gradient[j] = -state.product[j];
    for (Index b = 0; b < n_features(); ++b) {
      if (problem.coef[b] == 0.0) continue;
      const double* column = state.gram.data() + b * n_features();
      kernels::axpy(problem.coef[b], column, 0.0, problem.gradient.data(), n_features());
    }
    set_loss(k);
  }

  // |y - Xb|^2 / 2 = (|y|^2 - b'X'y + b'gradient) / 2
  void set_loss(Index k) {
    Problem& problem = problems_[k];
    double twice = states_[k].variance;
    for (Index j = 0; j < n_features(); ++j) twice += problem.coef[j] * (problem.gradient[j] - states_[k].product[j]);
    problem.loss = std::max(0.0, 0.5 * twice);
  }

  // Ridge alone has the whole path in closed form: one eigendecomposition (Hastie, Tibshirani & Friedman 2009, 3.47).
  bool is_plain_ridge(const Problem& problem) const {
    if (spec_.l1_ratio != 0.0) return false;
    for (Index j = 0; j < n_features(); ++j) {
      const bool bounded = spec_.lower_bounds[j] != -infinity || spec_.upper_bounds[j] != infinity;
      if (!problem.is_excluded(j) && (bounded || spec_.penalty_factors[j] == 0.0)) return false;
    }
    return true;
  }

  double root_factor(const Problem& problem, Index j) const {
    return problem.is_excluded(j) ? 0.0 : 1.0 / std::sqrt(spec_.penalty_factors[j]);
  }

  void diagonalise(Index k) {
    State& state = states_[k];
    const Problem& problem = problems_[k];
    const Index p = n_features();
    for (Index b = 0; b < p; ++b) {
      for (Index a = 0; a < p; ++a) state.gram[b * p + a] *= root_factor(problem, a) * root_factor(problem, b);
    }
    linalg::eigen(p, state.gram.data(), state.eigenvalues);
    Vector scaled(static_cast<std::size_t>(p));
    for (Index j = 0; j < p; ++j) scaled[j] = root_factor(problem, j) * state.product[j];
    state.rotated.resize(scaled.size());
    linalg::gemv(true, p, p, state.gram.data(), p, scaled.data(), state.rotated.data());
  }

  void ridge(Index k, double lambda) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    const Index p = n_features();
    Vector inner(static_cast<std::size_t>(p));
    for (Index j = 0; j < p; ++j) {
      const double value = std::max(0.0, state.eigenvalues[j]);
      inner[j] = value + lambda > 0.0 ? state.rotated[j] / (value + lambda) : 0.0;
    }
    linalg::gemv(false, p, p, state.gram.data(), p, inner.data(), problem.coef.data());
    for (Index j = 0; j < p; ++j) inner[j] = std::max(0.0, state.eigenvalues[j]) * inner[j] - state.rotated[j];
    linalg::gemv(false, p, p, state.gram.data(), p, inner.data(), problem.gradient.data());
    for (Index j = 0; j < p; ++j) {
      const double root = root_factor(problem, j);
      problem.coef[j] *= root;
      problem.gradient[j] = root > 0.0 ? problem.gradient[j] / root : 0.0;
    }
    set_loss(k);
  }

  const Specification& spec_;
  std::vector<Problem>& problems_;
  std::vector<State> states_;
};

}  // namespace normball
