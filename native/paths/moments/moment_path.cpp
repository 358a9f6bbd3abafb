// Squared error on tall data: the whole path of every problem lives in p-space. Once the moments are known X is
// never read again. (M11)
#include "paths/moments/moment_path.hpp"

#include "paths/blocks/outputs_path.hpp"
#include "paths/moments/batch_moments.hpp"
#include "paths/path_solver.hpp"
#include "problem/centred_targets.hpp"
#include "quadratic/continuation.hpp"
#include "quadratic/matrix_solver.hpp"

namespace normball {
namespace {

class MomentPath {
 public:
  MomentPath(std::vector<Summary>&& summaries, double n_reads, const Specification& spec,
             const std::vector<Problem>& problems, Threads& threads, Monitor& monitor)
      : spec_(spec),
        problems_(problems),
        threads_(threads),
        monitor_(monitor),
        states_(problems.size()),
        n_reads_(n_reads) {
    for (std::size_t k = 0; k < states_.size(); ++k) {
      states_[k].summary = std::move(summaries[k]);
      states_[k].at = iterate_at_zero(spec.n_features);
      states_[k].at.intercept = problems[k].null_intercept;
    }
    threads.parallel_for(spec.n_problems, [&](Index k) {
      if (is_plain_ridge(problems_[k]) && is_first_to_share(k)) diagonalise(k);
    });
    for (Index k = 0; k < spec.n_problems; ++k) {
      if (!shared(k).eigenvalues.empty()) rotate(k);
    }
  }

  double n_sweeps() const { return n_reads_; }

  void fit_null() {
    threads_.parallel_for(spec_.n_problems, [&](Index k) {
      refresh_gradient(k);
      if (!shared(k).eigenvalues.empty()) return;
      set_terms(k, [&](Index j) { return problems_[k].null_term(j); });
      step(k, 1e-12 * std::sqrt(states_[k].summary.variance));
    });
  }

  const Iterate& at(Index k) const { return states_[k].at; }

  void solve(PathResult& result, const double* centre) {
    const auto n_lambdas = static_cast<Index>(result.lambdas.size());
    for (Index l = 0; l < n_lambdas && !monitor_.stopped(); ++l) {
      threads_.parallel_for(spec_.n_problems, [&](Index k) {
        Point& point = result.points[k * n_lambdas + l];
        solve_at(k, result.lambdas[l], point);
        problems_[k].write(centre, Problem::candidate(at(k)), point);
        if (spec_.n_problems > 1 && spec_.responses.is_shared()) point.whole_loss = whole_loss(k);
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
    Iterate at;
    std::vector<ElasticNet> terms;
    MatrixSolver solver;
    double lambda = infinity;  // of the problem's coefficients
    Visited before;            // the one before those
    Vector rotated;            // X'y in the basis of eigenvectors
  };

  // An exact step is cheap here; should rounding leave a gap, a tighter tolerance is all there is to try.
  void solve_at(Index k, double lambda, Point& point) {
    for (double tolerance = 1e-9; tolerance > 1e-14 && point.status != Status::converged; tolerance *= 1e-2) {
      if (!problems_[k].has_nothing_to_explain()) approach(k, lambda, tolerance);
      const Certificate certificate = certify(k, lambda);
      point.n_iter += 1;
      point.dual_gap = problems_[k].relative(certificate.gap);
      point.kkt_violation = certificate.kkt_violation;
      point.status = problems_[k].is_solved(certificate) ? Status::converged : Status::numerical;
    }
  }

  void approach(Index k, double lambda, double tolerance) {
    if (!shared(k).eigenvalues.empty()) return ridge(k, lambda);
    set_terms(k, [&](Index j) { return problems_[k].term(j, lambda); });
    predict(k, lambda);
    step(k, tolerance * problems_[k].gradient_unit(lambda));
  }

  template <class TermAt>
  void set_terms(Index k, const TermAt& term_at) {
    State& state = states_[k];
    state.terms.resize(static_cast<std::size_t>(spec_.n_features));
    for (Index j = 0; j < spec_.n_features; ++j) state.terms[j] = term_at(j);
  }

  Certificate certify(Index k, double lambda) const {
    const Iterate& at = states_[k].at;
    double explained = 0.0;
    for (Index j = 0; j < spec_.n_features; ++j) explained += at.coef[j] * states_[k].summary.product[j];
    const double cross = states_[k].summary.variance - explained;  // sum w r y
    return problems_[k].certificate(lambda, Problem::candidate(at),
                                    [&](double s) { return s * s * at.loss - s * cross; });
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

  // The path is piecewise linear in lambda for the lasso and smooth between kinks otherwise.
  void predict(Index k, double lambda) {
    State& state = states_[k];
    if (state.lambda == lambda) return;
    const double length = continuation(state.before.lambda, state.lambda, lambda);
    std::swap(state.before.coef, state.at.coef);
    std::swap(state.before.gradient, state.at.gradient);
    std::swap(state.before.lambda, state.lambda);
    state.lambda = lambda;
    if (length > 0.0) {
      extrapolate(k, length);
    } else {
      state.at.coef = state.before.coef;
      state.at.gradient = state.before.gradient;
    }
  }

  // from the solution before the last, which is where the state is, through the last one
  void extrapolate(Index k, double length) {
    State& state = states_[k];
    Iterate& at = state.at;
    const Vector& last = state.before.coef;
    for (Index j = 0; j < n_features(); ++j) {
      at.gradient[j] = state.before.gradient[j] + length * (state.before.gradient[j] - at.gradient[j]);
    }
    for (Index j = 0; j < n_features(); ++j) {
      const double step = length * (last[j] - at.coef[j]);
      at.coef[j] = continued(state.terms[j], last[j], step);
      const double stopped = at.coef[j] - (last[j] + step);
      if (stopped == 0.0) continue;
      kernels::axpy(stopped, shared(k).gram.data() + j * n_features(), 0.0, at.gradient.data(), n_features());
    }
  }

  void step(Index k, double tolerance) {
    State& state = states_[k];
    state.solver.solve({.size = n_features(),
                        .H = shared(k).gram.data(),
                        .stride = n_features(),
                        .terms = state.terms.data(),
                        .ridge = problems_[k].penalty.ridge(state.lambda)},
                       state.at.coef.data(), state.at.gradient.data(), tolerance);
    refresh_gradient(k);
  }

  void refresh_gradient(Index k) {
    const State& state = states_[k];
    Iterate& at = states_[k].at;
    for (Index j = 0; j < n_features(); ++j) at.gradient[j] = -state.summary.product[j];
    for (Index b = 0; b < n_features(); ++b) {
      if (at.coef[b] == 0.0) continue;
      kernels::axpy(at.coef[b], shared(k).gram.data() + b * n_features(), 0.0, at.gradient.data(), n_features());
    }
    set_loss(k);
  }

  // |y - Xb|^2 / 2 = (|y|^2 - b'X'y + b'gradient) / 2
  void set_loss(Index k) {
    const Summary& summary = states_[k].summary;
    Iterate& at = states_[k].at;
    double twice = summary.variance;
    for (Index j = 0; j < n_features(); ++j) twice += at.coef[j] * (at.gradient[j] - summary.product[j]);
    at.loss = std::max(0.0, 0.5 * twice);
    at.squares = 2.0 * at.loss;
  }

  // The loss of a problem's solution under the weights of the first one: what its own rows lack of it fell on rows that
  // were held out, so that a cross-validation needs no predictions.
  double whole_loss(Index k) const {
    const Scaling& first = problems_[0].scaling;
    const Scaling& own = problems_[k].scaling;
    const Vector& fitted = at(k).coef;
    double intercept = at(k).intercept;  // at the first problem's means
    double explained = 0.0;
    Vector coef(fitted.size(), 0.0);
    for (Index j = 0; j < n_features(); ++j) {
      if (fitted[j] == 0.0) continue;
      const double raw = fitted[j] / own.scale[j];
      intercept += raw * (first.shift[j] - own.shift[j]);
      coef[j] = raw * first.scale[j];
      explained += coef[j] * states_[0].summary.product[j];
    }
    const double off = spec_.fit_intercept ? intercept - problems_[0].null_intercept : 0.0;
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
        if (coef[j] != 0.0) scaled[j] = coef[j] * std::sqrt(problems_[0].penalty.factor(j));
      }
      linalg::gemv(true, p, p, shared(0).gram.data(), p, scaled.data(), image.data());
      for (Index j = 0; j < p; ++j) form += std::max(0.0, eigenvalues[j]) * image[j] * image[j];
    }
    return form;
  }

  // Ridge alone has the whole path in closed form: one eigendecomposition (Hastie, Tibshirani & Friedman 2009, 3.47).
  bool is_plain_ridge(const Problem& problem) const {
    const bool is_shared =
        spec_.penalty_factors.is_shared() && spec_.lower_bounds.is_shared() && spec_.upper_bounds.is_shared();
    if (problem.penalty.selects() || !is_shared) return false;  // a Gram that is shared has one decomposition
    for (Index j = 0; j < n_features(); ++j) {
      if (!problem.is_excluded(j) && (problem.penalty.is_bounded(j) || problem.penalty.is_free(j))) return false;
    }
    return true;
  }

  double root_factor(const Problem& problem, Index j) const {
    return problem.is_excluded(j) ? 0.0 : 1.0 / std::sqrt(problem.penalty.factor(j));
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
    Iterate& at = state.at;
    const Index p = n_features();
    Vector inner(static_cast<std::size_t>(p));
    for (Index j = 0; j < p; ++j) {
      const double value = std::max(0.0, shared(k).eigenvalues[j]);
      inner[j] = value + lambda > 0.0 ? state.rotated[j] / (value + lambda) : 0.0;
    }
    linalg::gemv(false, p, p, shared(k).gram.data(), p, inner.data(), at.coef.data());
    for (Index j = 0; j < p; ++j) inner[j] = std::max(0.0, shared(k).eigenvalues[j]) * inner[j] - state.rotated[j];
    linalg::gemv(false, p, p, shared(k).gram.data(), p, inner.data(), at.gradient.data());
    for (Index j = 0; j < p; ++j) {
      const double root = root_factor(problems_[k], j);
      at.coef[j] *= root;
      at.gradient[j] = root > 0.0 ? at.gradient[j] / root : 0.0;
    }
    set_loss(k);
  }

  const Specification& spec_;
  const std::vector<Problem>& problems_;
  Threads& threads_;
  Monitor& monitor_;
  std::vector<State> states_;
  double n_reads_;
};

PathResult run(const Call& call) {
  Specification spec = call.spec;
  std::optional<CentredTargets> targets;
  if (spec.n_outputs > 1) {
    targets.emplace(spec, false);
    targets->put(spec);
  }
  Vector centre;
  Monitor monitor(call.poll);
  std::vector<Problem> problems = blank_problems(spec);
  BatchMoments batch(call.design, centre, spec, problems, call.threads);
  return path_by_moments(batch.take(), batch.n_reads(), spec, problems, centre, call.threads, monitor);
}

// Whether p-space is cheaper than working sets on sparse columns, in nanoseconds of an ordinary core. For each solution
// p-space takes products with the Gram and changes of a factor, which a mixed penalty makes anew for each lambda; the
// Gram itself takes all pairs of entries of a row. Working sets take products with the entries and with the columns.
// Fitted to paths and ten folds at p from 200 to 2900, 5 to 140 entries a row and n from 500 to 20,000, in which the
// last models have nearly all features.
bool is_cheaper_than_entries(const Design& design, const Specification& spec) {
  const auto p = static_cast<double>(spec.n_features);
  const auto n_lambdas = static_cast<double>(spec.lambdas.empty() ? spec.n_lambdas : std::ssize(spec.lambdas));
  const double n_solutions = n_lambdas * static_cast<double>(spec.n_problems);
  double entries = 0.0;
  for (Index j = 0; j < spec.n_features; ++j) entries += static_cast<double>(design.n_entries(j));
  const double gram = 0.6 * entries * entries / static_cast<double>(spec.n_rows);
  const double per_product = spec.l1_ratio < 1.0 ? 3.0 + 3e-3 * p : 1.0 + 4e-4 * p;
  return gram + n_solutions * per_product * p * p <= n_solutions * (5.0 * entries + 200.0 * p);
}

// p-space must be small against X; ridge alone has its closed form there
bool pays(const Call& call) {
  if (!call.spec.is_separable()) return MomentRows::pays(call.design, call.spec);
  const Index p = call.spec.n_features;
  if (p > 256 && (p > 3000 || 2 * p > call.spec.n_rows)) return false;
  return !call.design.is_sparse() || call.spec.l1_ratio == 0.0 || is_cheaper_than_entries(call.design, call.spec);
}

// A penalty over blocks of coefficients: as many rows as columns stand in for all. (M31)
PathResult path_of_blocks(std::vector<Summary>&& summaries, const Specification& spec, std::vector<Problem>& problems,
                          const Vector& centre, Threads& threads, Monitor& monitor) {
  std::vector<OnMoments> on_moments;
  Vector null_intercepts;
  for (Index k = 0; k < spec.n_problems; ++k) {
    const Summary& summary = summaries[k];
    Scaling& scaling = problems[k].scaling;
    for (Index j = 0; j < spec.n_features; ++j) {
      scaling.norm.push_back(std::sqrt(std::max(0.0, summary.shared->gram[j * (spec.n_features + 1)])));
    }
    const double origin = problems[k].origin;
    OutputsProblem of(std::move(problems[k]), spec.n_outputs);
    for (Index o = 0; o < spec.n_outputs && spec.fit_intercept; ++o) {
      of.origins[o] = (spec.n_outputs == 1 ? origin : spec.origin(k, o)) + summary.means[o];
    }
    null_intercepts.insert(null_intercepts.end(), of.origins.begin(), of.origins.end());
    auto rows = std::make_unique<const MomentRows>(summary, of);
    on_moments.push_back({.of = std::move(of), .rows = std::move(rows)});
  }
  PathResult result = outputs_path(spec, std::move(on_moments), centre, threads, monitor);
  result.null_intercepts = std::move(null_intercepts);
  return result;
}

}  // namespace

PathResult path_by_moments(std::vector<Summary>&& summaries, double n_reads, const Specification& spec,
                           std::vector<Problem>& problems, const Vector& centre, Threads& threads, Monitor& monitor) {
  for (std::size_t k = 0; k < problems.size(); ++k) problems[k].note_intercepts(0.5 * summaries[k].variance);
  if (!spec.is_separable()) {
    PathResult result = path_of_blocks(std::move(summaries), spec, problems, centre, threads, monitor);
    result.n_sweeps = n_reads;
    return result;
  }
  MomentPath solver(std::move(summaries), n_reads, spec, problems, threads, monitor);
  return run_path(solver, spec, problems, centre);
}

constexpr PathSolver by_moments = {
    .can = [](const Call& call) { return call.spec.family->is_quadratic; }, .pays = pays, .run = run};

}  // namespace normball
