// Proximal Newton on a working set (Lee, Sun & Saunders 2014; Yuan, Ho & Lin 2012). The quadratic model's
// curvature is kept for as long as its steps are cheaper than a new one: along lambda it changes slowly, and
// X'WX is the dear part. For squared error the model is exact and one step is enough.
#pragma once

#include "../losses/loss.hpp"
#include "column_descent.hpp"
#include "curvature.hpp"
#include "quadratic.hpp"

namespace normball {

template <Design D, Loss L>
class ProximalNewton {
 public:
  static constexpr bool is_quadratic = L::quadratic;
  // an exact step is cheap with a matrix of curvature, every digit has its price on the columns
  static constexpr double first_factor = !L::quadratic ? 1e-3 : (D::is_sparse ? 1e-5 : 1e-8);

  ProximalNewton(const D& design, const Specification& spec, std::vector<Problem>& problems, Threads& threads,
                 Monitor& monitor)
      : design_(design),
        spec_(spec),
        problems_(problems),
        states_(problems.size()),
        threads_(threads),
        monitor_(monitor) {}

  double n_sweeps() const { return static_cast<double>(entries_read_) / static_cast<double>(spec_.n_features); }

  // the model without penalised features; its gradient comes with the first sweep
  void fit_null(Index k) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    state.in_set.assign(static_cast<std::size_t>(spec_.n_features), 0);
    state.residual.resize(static_cast<std::size_t>(spec_.n_rows));
    double mean = 0.0;
    double mean_offset = 0.0;
    for (Index i = 0; i < spec_.n_rows; ++i) {
      mean += problem.weights[i] * problem.y[i];
      mean_offset += problem.weights[i] * spec_.offset[i];
    }
    state.eta.assign(spec_.offset, spec_.offset + spec_.n_rows);
    problem.negligible_loss = (L::quadratic ? 1e-26 : 1e-10) * loss_at(k, state.eta);
    if (spec_.fit_intercept) problem.intercept = L::link(mean) - mean_offset;
    state.magnitude = 1.0 + std::abs(mean) * (1.0 + std::abs(L::link(mean)));
    for (double& value : state.eta) value += problem.intercept;
    evaluate(k);
    for (Index j = 0; j < spec_.n_features; ++j) {
      if (spec_.penalty_factors[j] == 0.0 && !problem.is_excluded(j)) include(state, j);
    }
    solve(k, infinity, 1e-12 * std::sqrt(problem.loss + 1e-300), 100);
  }

  void begin(Index k, double lambda, double previous) {
    prune(k);
    // sequential strong rule (Tibshirani et al. 2012), not looser than a tenth below lambda
    add_candidates(k, std::max(2.0 * lambda - previous, 0.9 * lambda));
    predict(k, lambda, previous);
  }

  // Newton steps on the working set until its KKT violation is below the tolerance; the number of steps
  int solve(Index k, double lambda, double tolerance, int max_steps) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    state.terms.clear();
    for (const Index j : state.set) state.terms.push_back(problem.term(j, lambda));
    set_gradient(k);
    double last = infinity;
    for (int step = 0; step < max_steps; ++step) {
      const double violation = set_violation(k);
      if (violation <= tolerance || monitor_.stopped()) return step;
      const bool refreshed = update_curvature(k, state.curvature.empty() || is_slow(k, violation, last, tolerance));
      if (!newton_step(k, 0.05 * tolerance)) {
        if (refreshed) return step + 1;
        state.curvature.clear();  // the old model no longer descends: once more with the true one
        last = infinity;
        continue;
      }
      last = violation;
    }
    return max_steps;
  }

  // one read of the design gives every active problem its gradient
  void sweep(const std::vector<Index>& active) {
    std::vector<const double*> vectors;
    std::vector<double*> out;
    for (const Index k : active) {
      vectors.push_back(states_[k].residual.data());
      out.push_back(problems_[k].gradient.data());
    }
    const Columns all{.list = nullptr, .count = spec_.n_features};
    design_.sweep(
        {.columns = all, .n_vectors = static_cast<Index>(active.size()), .vectors = vectors.data(), .out = out.data()},
        threads_);
    entries_read_ += spec_.n_features;
    for (const Index k : active) {
      Problem& problem = problems_[k];
      states_[k].swept = true;
      for (Index j = 0; j < spec_.n_features; ++j) {
        problem.gradient[j] = problem.standardised(j, problem.gradient[j], states_[k].residual_sum);
      }
    }
  }

  bool grow(Index k, double lambda) { return add_candidates(k, lambda); }

  Certificate certify(Index k, double lambda) const {
    const Problem& problem = problems_[k];
    return problem.certificate(lambda, [&](double s) {
      double sum = 0.0;
      for (Index i = 0; i < spec_.n_rows; ++i) {
        if (problem.weights[i] == 0.0) continue;
        const double u = s * L::gradient(problem.y[i], states_[k].eta[i]);
        sum += problem.weights[i] * (L::conjugate(problem.y[i], u) - u * spec_.offset[i]);
      }
      return sum;
    });
  }

 private:
  struct Solution {
    double lambda = infinity;
    double intercept = 0.0;
    Vector coef;
    Vector eta;
  };

  struct State {
    Vector eta;
    Vector residual;  // w_i f'(y_i, eta_i)
    double residual_sum = 0.0;
    double magnitude = 1.0;  // size of the terms that the loss sums
    bool swept = false;      // the problem's gradient is that of eta
    std::vector<Index> set;
    std::vector<std::uint8_t> in_set;
    std::vector<ElasticNet> terms;  // of the set
    Vector gradient;                // of the set
    Solution earlier;               // the one before the present one
    Curvature curvature;
    QuadraticSolver solver;
    ColumnSolver<D> columns;
  };

  static void include(State& state, Index j) {
    if (state.in_set[j]) return;
    state.in_set[j] = 1;
    state.set.push_back(j);
  }

  // Features whose gradient exceeds `lambda` enter, the strongest first and at most twice the present set at once.
  bool add_candidates(Index k, double lambda) {
    State& state = states_[k];
    const Problem& problem = problems_[k];
    std::vector<std::pair<double, Index>> found;
    for (Index j = 0; j < spec_.n_features; ++j) {
      if (state.in_set[j] || problem.is_excluded(j)) continue;
      const double excess = problem.term(j, lambda).violation(problem.gradient[j], 0.0);
      if (excess > 0.0 || spec_.l1_ratio == 0.0) found.emplace_back(excess, j);
    }
    const std::size_t limit = spec_.l1_ratio == 0.0 ? found.size() : std::max<std::size_t>(500, 2 * state.set.size());
    if (found.size() > limit) {
      std::nth_element(found.begin(), found.begin() + static_cast<Index>(limit), found.end(), std::greater<>());
      found.resize(limit);
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    for (const auto& candidate : found) include(state, candidate.second);
    return !found.empty();
  }

  // Columns that stayed out of the model leave the working set once they are the larger part of it.
  void prune(Index k) {
    State& state = states_[k];
    const Problem& problem = problems_[k];
    const auto keeps = [&](Index j) { return problem.coef[j] != 0.0 || spec_.penalty_factors[j] == 0.0; };
    const auto n_kept = static_cast<std::size_t>(std::count_if(state.set.begin(), state.set.end(), keeps));
    if (spec_.l1_ratio == 0.0 || state.set.size() < 2 * n_kept + 100) return;
    state.curvature.keep([&](Index position) { return keeps(state.set[position]); });
    for (const Index j : state.set) state.in_set[j] = keeps(j) ? 1 : 0;
    std::erase_if(state.set, [&](Index j) { return !keeps(j); });
  }

  // Solutions change almost linearly between two lambdas while signs stay: the last two are continued to the next,
  // where that lowers the objective there.
  void predict(Index k, double lambda, double previous) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    Solution present{.lambda = previous, .intercept = problem.intercept, .coef = problem.coef, .eta = state.eta};
    std::swap(present, state.earlier);
    const Solution& earlier = present;
    const Solution& last = state.earlier;
    const double length = (previous - lambda) / (earlier.lambda - previous);
    if (!(length > 0.0 && length < 2.0)) return;
    Vector stopped(state.set.size(), 0.0);  // what signs and bounds take from the straight line, in units of the data
    double penalty_change = 0.0;
    for (std::size_t s = 0; s < state.set.size(); ++s) {
      const Index j = state.set[s];
      const double step = length * (last.coef[j] - earlier.coef[j]);
      if (step == 0.0) continue;
      const ElasticNet term = problem.term(j, lambda);
      const double target = last.coef[j] == 0.0 ? 0.0 : term.reachable(last.coef[j], step);
      penalty_change += term.value(target) - term.value(last.coef[j]);
      stopped[s] = (target - last.coef[j] - step) / problem.scale[j];
      problem.coef[j] = target;
    }
    for (std::size_t i = 0; i < state.eta.size(); ++i) state.eta[i] += length * (last.eta[i] - earlier.eta[i]);
    Vector correction(state.eta.size(), 0.0);
    design_.times({.list = state.set.data(), .count = static_cast<Index>(state.set.size())}, stopped.data(),
                  correction.data(), threads_);
    double moved = 0.0;
    for (std::size_t s = 0; s < state.set.size(); ++s) moved += stopped[s] * problem.shift[state.set[s]];
    for (std::size_t i = 0; i < state.eta.size(); ++i) state.eta[i] += correction[i] - moved;
    problem.intercept += length * (last.intercept - earlier.intercept);
    const double loss = problem.loss;
    if (loss_at(k, state.eta) + penalty_change < loss) {
      evaluate(k);
      return;
    }
    problem.coef = last.coef;
    problem.intercept = last.intercept;
    state.eta = last.eta;
  }

  // eta is set: residuals, their sum and the loss follow
  void evaluate(Index k) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    problem.loss = loss_at(k, state.eta);
    state.swept = false;
    state.residual_sum = 0.0;
    for (Index i = 0; i < spec_.n_rows; ++i) {
      const double w = problem.weights[i];
      state.residual[i] = w == 0.0 ? 0.0 : w * L::gradient(problem.y[i], state.eta[i]);
      state.residual_sum += state.residual[i];
    }
    problem.intercept_gradient = spec_.fit_intercept ? state.residual_sum : 0.0;
  }

  double loss_at(Index k, const Vector& eta) const {
    const Problem& problem = problems_[k];
    double loss = 0.0;
    for (Index i = 0; i < spec_.n_rows; ++i) {
      if (problem.weights[i] != 0.0) loss += problem.weights[i] * L::value(problem.y[i], eta[i]);
    }
    return loss;
  }

  void set_gradient(Index k) {
    State& state = states_[k];
    state.gradient.resize(state.set.size());
    if (state.swept) {  // the last sweep saw the present eta
      for (std::size_t s = 0; s < state.set.size(); ++s) state.gradient[s] = problems_[k].gradient[state.set[s]];
      return;
    }
    const double* vector = state.residual.data();
    double* out = state.gradient.data();
    const Columns columns{.list = state.set.data(), .count = static_cast<Index>(state.set.size())};
    design_.sweep({.columns = columns, .n_vectors = 1, .vectors = &vector, .out = &out}, threads_);
    entries_read_ += columns.count;
    for (std::size_t s = 0; s < state.set.size(); ++s) {
      state.gradient[s] = problems_[k].standardised(state.set[s], state.gradient[s], state.residual_sum);
    }
  }

  double set_violation(Index k) const {
    const State& state = states_[k];
    double worst = std::abs(problems_[k].intercept_gradient);
    for (std::size_t s = 0; s < state.set.size(); ++s) {
      worst = std::max(worst, state.terms[s].violation(state.gradient[s], problems_[k].coef[state.set[s]]));
    }
    return worst;
  }

  // Whether going on with the old curvature costs more than a new one. Per entry of X (read twice a step), in the
  // time of a multiplication in BLAS: a step n m 32 and the model's factor 1.3 m^3, a new X'WX n m^2.
  bool is_slow(Index k, double violation, double last, double tolerance) const {
    if constexpr (D::is_sparse) {
      const State& state = states_[k];
      if (!state.curvature.is_dense()) return true;  // two passes, where a step takes many
      const double step = 2.0 * Curvature::pass_cost(design_, state.set) + 60.0 * static_cast<double>(spec_.n_rows);
      if (Curvature::gram_cost(design_, state.set) < step) return true;
    }
    if (last == infinity) return false;
    const auto n = static_cast<double>(spec_.n_rows);
    const auto m = static_cast<double>(states_[k].set.size());
    const double affordable = 2.0 + n * m / (32.0 * n + 1.3 * m * m);
    const double rate = violation / last;
    return rate > 0.9 || std::log(violation / tolerance) > -std::log(rate) * affordable;
  }

  // true when the curvature is now that of the present eta
  bool update_curvature(Index k, bool wanted) {
    State& state = states_[k];
    const Problem& problem = problems_[k];
    if (wanted && !(L::quadratic && !state.curvature.empty())) {
      Vector d(state.eta.size());
      for (Index i = 0; i < spec_.n_rows; ++i) {
        // a floor keeps rows that are fitted perfectly from losing all say about the step
        d[i] = problem.weights[i] * (L::quadratic ? 1.0 : std::max(1e-9, L::curvature(problem.y[i], state.eta[i])));
      }
      state.curvature.reset(std::move(d));
    }
    state.curvature.cover(design_, problem, state.set, state.columns.n_passes(), threads_);
    return wanted || L::quadratic;
  }

  bool newton_step(Index k, double smallest) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    const auto size = static_cast<Index>(state.set.size());
    Vector before(state.set.size());
    for (Index s = 0; s < size; ++s) before[s] = problem.coef[state.set[s]];
    Vector after = before;
    const double total = state.curvature.total();
    double intercept_step = spec_.fit_intercept ? -problem.intercept_gradient / total : 0.0;
    Vector gradient(state.set.size());  // with the intercept profiled out
    double violation = 0.0;
    for (Index s = 0; s < size; ++s) {
      gradient[s] = state.gradient[s] + intercept_step * state.curvature.mean(s);
      violation = std::max(violation, state.terms[s].violation(gradient[s], before[s]));
    }
    // squared error is its own model: once is enough; any other loss has moved on before the model is solved exactly
    const double tolerance = L::quadratic ? smallest : std::max(smallest, 0.05 * violation);
    if (state.curvature.is_dense()) {
      state.solver.solve({.size = size,
                          .H = state.curvature.matrix(),
                          .stride = state.curvature.stride(),
                          .terms = state.terms.data(),
                          .version = state.curvature.version()},
                         after.data(), gradient.data(), tolerance);
      for (Index s = 0; spec_.fit_intercept && s < size; ++s) {
        intercept_step -= state.curvature.mean(s) * (after[s] - before[s]) / total;
      }
    } else {
      intercept_step = state.columns.solve({.design = design_,
                                            .problem = problem,
                                            .set = state.set,
                                            .terms = state.terms,
                                            .curvature = state.curvature,
                                            .residual = state.residual},
                                           tolerance, monitor_, after);
    }
    return move(k, before, after, intercept_step);
  }

  // Armijo's rule on the true objective, along the segment to the model's minimiser
  bool move(Index k, const Vector& before, Vector& after, double intercept_step) {
    State& state = states_[k];
    Problem& problem = problems_[k];
    Vector slope(state.eta.size(), 0.0);
    const double expected = eta_slope(k, before, after, intercept_step, slope);
    Vector trial(state.eta.size());
    double penalty_before = 0.0;
    for (std::size_t s = 0; s < before.size(); ++s) penalty_before += state.terms[s].value(before[s]);
    const double objective = problem.loss + penalty_before;
    // a change that drowns in the rounding of the loss cannot be judged by it: near the optimum Newton's step is right
    const bool negligible = -expected <= 1e-13 * (objective + state.magnitude);
    for (double t = 1.0; t > 1e-10; t *= 0.5) {
      for (std::size_t i = 0; i < trial.size(); ++i) trial[i] = state.eta[i] + t * slope[i];
      double penalty = 0.0;
      for (std::size_t s = 0; s < before.size(); ++s) {
        penalty += state.terms[s].value(t == 1.0 ? after[s] : before[s] + t * (after[s] - before[s]));
      }
      const bool accept = L::quadratic || negligible || loss_at(k, trial) + penalty <= objective + 1e-4 * t * expected;
      if (!accept) continue;
      for (std::size_t s = 0; s < before.size(); ++s) {
        problem.coef[state.set[s]] = t == 1.0 ? after[s] : before[s] + t * (after[s] - before[s]);
      }
      problem.intercept += t * intercept_step;
      state.eta.swap(trial);
      evaluate(k);
      set_gradient(k);
      return true;
    }
    return false;
  }

  // slope = d eta along the step; returns the first-order change of the objective
  double eta_slope(Index k, const Vector& before, const Vector& after, double intercept_step, Vector& slope) const {
    const State& state = states_[k];
    const Problem& problem = problems_[k];
    Vector raw(before.size(), 0.0);
    double shift = intercept_step;
    double expected = intercept_step * problem.intercept_gradient;
    for (std::size_t s = 0; s < before.size(); ++s) {
      const Index j = state.set[s];
      const double step = after[s] - before[s];
      if (step == 0.0) continue;
      raw[s] = step / problem.scale[j];
      shift -= raw[s] * problem.shift[j];
      expected += step * state.gradient[s] + state.terms[s].value(after[s]) - state.terms[s].value(before[s]);
    }
    design_.times({.list = state.set.data(), .count = static_cast<Index>(before.size())}, raw.data(), slope.data(),
                  threads_);
    for (double& value : slope) value += shift;
    return std::min(expected, 0.0);
  }

  const D& design_;
  const Specification& spec_;
  std::vector<Problem>& problems_;
  std::vector<State> states_;
  Threads& threads_;
  Monitor& monitor_;
  std::atomic<Index> entries_read_{0};
};

}  // namespace normball
