// Squared error on tall data: the whole path of every problem lives in p-space. Once the moments are known X is
// never read again. (M11)
#pragma once

#include "paths/moments/batch_moments.hpp"
#include "quadratic/matrix_solver.hpp"

namespace normball {

template <Design D>
class MomentPath {
 public:
  static constexpr bool is_quadratic = true;

  MomentPath(D& design, Vector& centre, const Specification& spec, std::vector<Problem>& problems, Threads& threads,
             Monitor& monitor)
      : spec_(spec), problems_(problems), threads_(threads), monitor_(monitor), states_(problems.size()) {
    BatchMoments<D> batch(design, centre, spec, problems, threads);
    n_reads_ = batch.n_reads();
    std::vector<Summary> summaries = batch.take();
    for (std::size_t k = 0; k < states_.size(); ++k) {
      states_[k].summary = std::move(summaries[k]);
      states_[k].mean = problems[k].intercept;
    }
    threads.parallel_for(spec.n_problems, [&](Index k) {
      if (is_plain_ridge(problems_[k]) && is_first_to_share(k)) diagonalise(k);
    });
    for (std::size_t k = 0; k < states_.size(); ++k) {
      if (!shared(k).eigenvalues.empty()) rotate(k);
    }
  }

  double n_sweeps() const { return n_reads_; }

  void fit_null() {
    threads_.parallel_for(spec_.n_problems, [&](Index k) {
      refresh_gradient(k);
      if (!shared(k).eigenvalues.empty()) return;
      set_terms(k, infinity);
      step(k, 1e-12 * std::sqrt(states_[k].summary.variance));
    });
  }

  void solve(PathResult& result, const double* centre) {
    const auto n_lambdas = static_cast<Index>(result.lambdas.size());
    for (Index l = 0; l < n_lambdas && !monitor_.stopped(); ++l) {
      threads_.parallel_for(spec_.n_problems, [&](Index k) {
        Point& point = result.points[k * n_lambdas + l];
        solve_at(k, result.lambdas[l], point);
        problems_[k].write(centre, problems_[k].model(), point);
        if (spec_.n_problems > 1 && spec_.shared_response) point.whole_loss = whole_loss(problems_[k]);
      });
      monitor_.progress(l + 1, n_lambdas);
    }
  }

 private:
  // a solution on the path
  struct Visited {
    double lambda = infinity;
    Vector coef;
    Vector gradient;
  };
  struct State {
    Summary summary;
    std::vector<ElasticNet> terms;
    MatrixSolver solver;
    double lambda = infinity;  // of the problem's coefficients
    Visited before;            // the one before those
    Vector rotated;            // X'y in the basis of eigenvectors
    double mean = 0.0;         // of y - o: the intercept at the means of the columns
  };

  // An exact step is cheap here; should rounding leave a gap, a tighter tolerance is all there is to try.
  void solve_at(Index k, double lambda, Point& point) {
    const double threshold = std::min(lambda * spec_.l1_ratio, problems_[k].largest_gradient);
    const double unit = threshold > 0.0 ? threshold : 1e-3 * problems_[k].largest_gradient;
    for (double tolerance = 1e-9; tolerance > 1e-14 && point.status != Status::converged; tolerance *= 1e-2) {
      if (shared(k).eigenvalues.empty()) {
        set_terms(k, lambda);
        predict(k, lambda);
        step(k, tolerance * (unit > 0.0 ? unit : 1.0));
      } else {
        ridge(k, lambda);
      }
      const Certificate certificate = certify(k, lambda);
      point.n_iter += 1;
      point.dual_gap = problems_[k].relative(certificate.gap);
      point.kkt_violation = certificate.kkt_violation;
      point.status = problems_[k].is_solved(certificate) ? Status::converged : Status::numerical;
    }
  }

  void set_terms(Index k, double lambda) {
    State& state = states_[k];
    state.terms.resize(static_cast<std::size_t>(spec_.n_features));
    for (Index j = 0; j < spec_.n_features; ++j) state.terms[j] = problems_[k].term(j, lambda);
  }

  Certificate certify(Index k, double lambda) const {
    const Problem& problem = problems_[k];
    double explained = 0.0;
    for (Index j = 0; j < spec_.n_features; ++j) explained += problem.coef[j] * states_[k].summary.product[j];
    const double cross = states_[k].summary.variance - explained;  // sum w r y
    return problem.certificate(lambda, problem.model(), [&](double s) { return s * s * problem.loss - s * cross; });
  }

  Index n_features() const { return spec_.n_features; }
  SharedGram& shared(Index k) { return *states_[k].summary.shared; }
  const SharedGram& shared(Index k) const { return *states_[k].summary.shared; }
  bool is_first_to_share(Index k) const {
    for (Index before = 0; before < k; ++before) {
      if (&shared(before) == &shared(k)) return false;
    }
    return true;
  }

  // The path is piecewise linear in lambda for the lasso and smooth between kinks otherwise: the last two solutions
  // point to the next. Where the line leaves the box or changes a sign it stops there.
  void predict(Index k, double lambda) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    if (state.lambda == lambda) return;
    const double t = (state.lambda - lambda) / (state.before.lambda - state.lambda);
    const bool may_predict = state.before.lambda < infinity && t > 0.0 && t <= 2.0;
    std::swap(state.before.coef, problem.coef);
    std::swap(state.before.gradient, problem.gradient);
    std::swap(state.before.lambda, state.lambda);
    state.lambda = lambda;
    if (may_predict) {
      extrapolate(k, t);
    } else {
      problem.coef = state.before.coef;
      problem.gradient = state.before.gradient;
    }
  }

  // from the solution before the last, which stands in the problem, through the last one
  void extrapolate(Index k, double t) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    const Vector& last = state.before.coef;
    for (Index j = 0; j < n_features(); ++j) {
      problem.gradient[j] = state.before.gradient[j] + t * (state.before.gradient[j] - problem.gradient[j]);
    }
    for (Index j = 0; j < n_features(); ++j) {
      const ElasticNet& term = state.terms[j];
      const double ahead = last[j] + t * (last[j] - problem.coef[j]);
      const bool stays = last[j] == 0.0 || (term.l1 > 0.0 && ahead * last[j] < 0.0);
      problem.coef[j] = stays ? 0.0 : std::clamp(ahead, term.lower, term.upper);
      if (problem.coef[j] == ahead) continue;
      const double* column = shared(k).gram.data() + j * n_features();
      kernels::axpy(problem.coef[j] - ahead, column, 0.0, problem.gradient.data(), n_features());
    }
  }

  void step(Index k, double tolerance) {
    Problem& problem = problems_[k];
    State& state = states_[k];
    state.solver.solve(
        {.size = n_features(), .H = shared(k).gram.data(), .stride = n_features(), .terms = state.terms.data()},
        problem.coef.data(), problem.gradient.data(), tolerance);
    refresh_gradient(k);
  }

  void refresh_gradient(Index k) {
    Problem& problem = problems_[k];
    const State& state = states_[k];
    for (Index j = 0; j < n_features(); ++j) problem.gradient[j] = -state.summary.product[j];
    for (Index b = 0; b < n_features(); ++b) {
      if (problem.coef[b] == 0.0) continue;
      const double* column = shared(k).gram.data() + b * n_features();
      kernels::axpy(problem.coef[b], column, 0.0, problem.gradient.data(), n_features());
    }
    set_loss(k);
  }

  // |y - Xb|^2 / 2 = (|y|^2 - b'X'y + b'gradient) / 2
  void set_loss(Index k) {
    Problem& problem = problems_[k];
    double twice = states_[k].summary.variance;
    for (Index j = 0; j < n_features(); ++j)
      twice += problem.coef[j] * (problem.gradient[j] - states_[k].summary.product[j]);
    problem.loss = std::max(0.0, 0.5 * twice);
  }

  // The loss of a problem's solution under the weights of the first one: what its own rows lack of it fell on rows that
  // were held out, so that a cross-validation needs no predictions.
  double whole_loss(const Problem& fitted) const {
    const Problem& first = problems_[0];
    double intercept = fitted.intercept;  // at the first problem's means
    double explained = 0.0;
    Vector coef(fitted.coef.size(), 0.0);
    for (Index j = 0; j < n_features(); ++j) {
      if (fitted.coef[j] == 0.0) continue;
      const double raw = fitted.coef[j] / fitted.scale[j];
      intercept += raw * (first.shift[j] - fitted.shift[j]);
      coef[j] = raw * first.scale[j];
      explained += coef[j] * states_[0].summary.product[j];
    }
    const double off = spec_.fit_intercept ? intercept - states_[0].mean : 0.0;
    return 0.5 * (states_[0].summary.variance - 2.0 * explained + first_form(coef) + off * off);
  }

  // b'Gb, G that of the first problem
  double first_form(const Vector& coef) const {
    const Vector& eigenvalues = shared(0).eigenvalues;
    const Index p = n_features();
    Vector image(coef.size(), 0.0);
    double form = 0.0;
    if (eigenvalues.empty()) {
      for (Index b = 0; b < p; ++b) {
        if (coef[b] != 0.0) kernels::axpy(coef[b], shared(0).gram.data() + b * p, 0.0, image.data(), p);
      }
      for (Index j = 0; j < p; ++j) form += coef[j] * image[j];
    } else {
      Vector scaled(coef.size(), 0.0);
      for (Index j = 0; j < p; ++j) {
        if (coef[j] != 0.0) scaled[j] = coef[j] * std::sqrt(spec_.penalty_factors[j]);
      }
      linalg::gemv(true, p, p, shared(0).gram.data(), p, scaled.data(), image.data());
      for (Index j = 0; j < p; ++j) form += std::max(0.0, eigenvalues[j]) * image[j] * image[j];
    }
    return form;
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
    const Problem& problem = problems_[k];
    const Index p = n_features();
    for (Index b = 0; b < p; ++b) {
      for (Index a = 0; a < p; ++a) shared(k).gram[b * p + a] *= root_factor(problem, a) * root_factor(problem, b);
    }
    linalg::eigen(p, shared(k).gram.data(), shared(k).eigenvalues);
  }

  void rotate(Index k) {
    State& state = states_[k];
    const Index p = n_features();
    Vector scaled(static_cast<std::size_t>(p));
    for (Index j = 0; j < p; ++j) scaled[j] = root_factor(problems_[k], j) * state.summary.product[j];
    state.rotated.resize(scaled.size());
    linalg::gemv(true, p, p, shared(k).gram.data(), p, scaled.data(), state.rotated.data());
  }

  void ridge(Index k, double lambda) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    const Index p = n_features();
    Vector inner(static_cast<std::size_t>(p));
    for (Index j = 0; j < p; ++j) {
      const double value = std::max(0.0, shared(k).eigenvalues[j]);
      inner[j] = value + lambda > 0.0 ? state.rotated[j] / (value + lambda) : 0.0;
    }
    linalg::gemv(false, p, p, shared(k).gram.data(), p, inner.data(), problem.coef.data());
    for (Index j = 0; j < p; ++j) inner[j] = std::max(0.0, shared(k).eigenvalues[j]) * inner[j] - state.rotated[j];
    linalg::gemv(false, p, p, shared(k).gram.data(), p, inner.data(), problem.gradient.data());
    for (Index j = 0; j < p; ++j) {
      const double root = root_factor(problem, j);
      problem.coef[j] *= root;
      problem.gradient[j] = root > 0.0 ? problem.gradient[j] / root : 0.0;
    }
    set_loss(k);
  }

  const Specification& spec_;
  std::vector<Problem>& problems_;
  Threads& threads_;
  Monitor& monitor_;
  std::vector<State> states_;
  double n_reads_ = 0.0;
};

}  // namespace normball
