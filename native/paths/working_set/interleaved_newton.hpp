// Proximal Newton for up to sixteen solutions at once on the columns themselves: problems of a batch, lambdas of a
// block, or both. For sparse columns with a working set of thousands, where X'DX and its factor cost more than a few
// passes.
#pragma once

#include <span>

#include "losses/loss.hpp"
#include "paths/working_set/solution.hpp"
#include "quadratic/column_solver.hpp"
#include "quadratic/set_curvature.hpp"
#include "quadratic/step.hpp"

namespace normball {

inline constexpr Index n_interleaved = InterleavedArray<float>::width;

// One state: where it starts and ends (`solution`, whose coefficients stand in the order of `set`), and what is enough.
struct InterleavedTask {
  const Problem* problem;
  const Loss* loss;
  const std::vector<Index>* set;
  double lambda;
  Tolerance goal;
  int max_steps;
  Solution* solution;
  int n_steps = 0;
};

class InterleavedNewton {
 public:
  using Model = ColumnSolver<float, n_interleaved>;

  // `most_entries` may be read in solving the models; what is not solved by then stays where it stands
  InterleavedNewton(const SparseDesign& design, std::span<InterleavedTask> tasks, double most_entries, Monitor& monitor)
      : design_(design),
        tasks_(tasks),
        spec_(*tasks[0].problem->spec),
        monitor_(monitor),
        model_(design, columns_, spec_.fit_intercept, most_entries) {
    gather_columns();
    for (std::size_t k = 0; k < tasks_.size(); ++k) open_[k] = true;
    totals_.fill(1.0);
    halves_.resize((tasks_.size() + half - 1) / half);
    for (Half& part : halves_) part.residual.assign(spec_.n_rows, 0.0);
    curvature_.assign(spec_.n_rows, 0.0F);
    gradient_.assign(columns_.size(), 0.0);
    start();
  }

  void solve() {
    while (!monitor_.stopped()) {
      measure();
      for (std::size_t k = 0; k < tasks_.size(); ++k) open_[k] = open_[k] && goes_on(k);
      if (!any(open_) || model_.is_exhausted()) break;
      step();
    }
    for (std::size_t k = 0; k < tasks_.size(); ++k) save(k);
  }

  // how often an entry of the columns was met, forth or back
  double n_passes() const {
    double entries = 1.0;
    for (const Index j : columns_.list) entries += static_cast<double>(design_.n_entries(j));
    return static_cast<double>(entries_read_ + model_.entries_read()) / entries;
  }
  Index columns_read() const { return columns_read_; }
  bool is_exhausted() const { return model_.is_exhausted(); }

 private:
  // What a state knows row by row.
  struct State {
    std::vector<std::int32_t> place;  // of its set in the list of columns
    Vector eta;
    Vector residual;
    RowSums sums;
    double intercept = 0.0;
    double loss = 0.0;
    double violation = infinity;
    bool is_stationary = false;  // as far as is promised, with a little to spare (M9)
    StallRule progress = StallRule(20);
  };

  // The problems of one cache line of doubles, row by row.
  struct Half {
    InterleavedArray<double> residual;
    InterleavedArray<double> slope;  // X (stored) times a change of the coefficients
  };
  static constexpr Index half = InterleavedArray<double>::width;

  double mean_of(const Problem& problem, Index j) const { return design_.stored_centre(j) + problem.scaling.shift[j]; }

  // all columns that are in some state's set, in order, so that X is read from front to back
  void gather_columns() {
    for (const InterleavedTask& task : tasks_)
      columns_.list.insert(columns_.list.end(), task.set->begin(), task.set->end());
    std::ranges::sort(columns_.list);
    const auto [first, last] = std::ranges::unique(columns_.list);
    columns_.list.erase(first, last);
    columns_.inverse_scale.assign(columns_.size(), 0.0);
    columns_.centre.assign(columns_.size(), 0.0);
    columns_.terms.assign(static_cast<std::size_t>(columns_.size() * n_interleaved), {.l1 = infinity});
    coef_.assign(columns_.size(), 0.0);
    states_.resize(tasks_.size());
    for (std::size_t k = 0; k < tasks_.size(); ++k) {
      const InterleavedTask& task = tasks_[k];
      for (std::size_t s = 0; s < task.set->size(); ++s) {
        const Index j = (*task.set)[s];
        const Index place = std::ranges::lower_bound(columns_.list, j) - columns_.list.begin();
        states_[k].place.push_back(static_cast<std::int32_t>(place));
        columns_.terms[place * n_interleaved + static_cast<Index>(k)] = task.problem->term(j, task.lambda);
        const double scale = task.problem->scaling.scale[j];
        columns_.inverse_scale[place][k] = scale == 0.0 ? 0.0 : 1.0 / scale;
        columns_.centre[place][k] = mean_of(*task.problem, j);
        if (s < task.solution->coef.size()) coef_[place][k] = task.solution->coef[s];
      }
    }
  }

  // slopes = X (stored) `change`, in each state; what centring takes from every row
  Each<n_interleaved> multiply(const InterleavedColumn<n_interleaved>& change) {
    Each<n_interleaved> shift{};
    for (Half& part : halves_) part.slope.assign(spec_.n_rows, 0.0);
    for (Index s = 0; s < columns_.size(); ++s) {
      double scaled[n_interleaved];
      for (Index k = 0; k < n_interleaved; ++k) {
        scaled[k] = change[s][k] * columns_.inverse_scale[s][k];
        shift[k] -= scaled[k] * columns_.centre[s][k];
      }
      for (std::size_t h = 0; h < halves_.size(); ++h) {
        const double* own = scaled + static_cast<Index>(h) * half;
        if (std::all_of(own, own + half, [](double value) { return value == 0.0; })) continue;
        entries_read_ += design_.n_entries(columns_.list[s]);
        design_.add_eight(columns_.list[s], own, halves_[h].slope.data());
      }
    }
    return shift;
  }

  double slope(std::size_t k, Index i) const { return halves_[k / half].slope[i][k % half]; }

  void start() {
    const Each<n_interleaved> shift = multiply(coef_);
    for (std::size_t k = 0; k < tasks_.size(); ++k) {
      State& state = states_[k];
      state.intercept = tasks_[k].solution->intercept;
      state.eta.resize(static_cast<std::size_t>(spec_.n_rows));
      state.residual.resize(state.eta.size());
      for (Index i = 0; i < spec_.n_rows; ++i) {
        state.eta[i] = tasks_[k].problem->offset[i] + state.intercept + shift[k] + slope(k, i);
      }
    }
  }

  // losses, residuals, curvatures and gradients at the present coefficients, where they are not known yet
  void measure() {
    Vector d(static_cast<std::size_t>(spec_.n_rows));
    for (std::size_t k = 0; k < tasks_.size(); ++k) {
      if (!open_[k]) continue;
      State& state = states_[k];
      state.sums =
          tasks_[k].loss->evaluate(state.eta.data(), {.residual = state.residual.data(),
                                                      .curvature = d.data(),
                                                      .least_curvature = tasks_[k].problem->least_curvature()});
      state.loss = state.sums.loss + tasks_[k].problem->constant;
      halves_[k / half].residual.put(static_cast<Index>(k % half), state.residual.data());
      curvature_.put(static_cast<Index>(k), d.data());
      totals_[k] = 0.0;
      for (const double value : d) totals_[k] += value;
    }
    double products[n_interleaved];
    Each<n_interleaved> violation{};
    for (std::size_t k = 0; k < tasks_.size(); ++k) {
      if (open_[k])
        states_[k].is_stationary = std::abs(intercept_gradient(k)) <= tasks_[k].problem->enough({}, tasks_[k].lambda);
    }
    for (Index s = 0; s < columns_.size(); ++s) {
      for (std::size_t h = 0; h < halves_.size(); ++h) {
        entries_read_ += design_.n_entries(columns_.list[s]);
        design_.dot_eight(columns_.list[s], halves_[h].residual.data(), products + static_cast<Index>(h) * half);
      }
      for (std::size_t k = 0; k < tasks_.size(); ++k) {
        if (!open_[k]) continue;
        const double centred = products[k] - columns_.centre[s][k] * states_[k].sums.residual;
        gradient_[s][k] = centred * columns_.inverse_scale[s][k];
        const ElasticNet& term = columns_.term(s, static_cast<Index>(k));
        const double distance = term.violation(gradient_[s][k], coef_[s][k]);
        violation[k] = std::max(violation[k], distance);
        states_[k].is_stationary &= distance <= tasks_[k].problem->enough(term, tasks_[k].lambda);
      }
    }
    columns_read_ += columns_.size();
    for (std::size_t k = 0; k < tasks_.size(); ++k) {
      if (open_[k]) states_[k].violation = std::max(violation[k], std::abs(intercept_gradient(k)));
    }
  }

  double intercept_gradient(std::size_t k) const { return spec_.fit_intercept ? states_[k].sums.residual : 0.0; }

  bool goes_on(std::size_t k) {
    InterleavedTask& task = tasks_[k];
    State& state = states_[k];
    if (state.violation <= task.goal.violation || task.n_steps >= task.max_steps) return false;
    const bool is_exact =
        !tasks_[0].loss->is_quadratic || task.n_steps > 0;  // squared error: one step is all it takes to be exact
    if (task.goal.gap >= 0.0 && is_exact && state.is_stationary && gap(k) <= task.goal.gap) return false;
    if (state.progress.is_stalled() || std::isnan(state.violation)) return false;
    state.progress.note(state.violation);
    return true;
  }

  // as far as the state's set can tell; the sweep may find a larger one
  double gap(std::size_t k) const {
    Vector coef;
    Vector gradient;
    for (const auto place : states_[k].place) {
      coef.push_back(coef_[place][k]);
      gradient.push_back(gradient_[place][k]);
    }
    const std::vector<Index>& set = *tasks_[k].set;
    return tasks_[k]
        .problem
        ->certificate(tasks_[k].lambda, {.features = {.list = set.data(), .count = static_cast<Index>(set.size())},
                                         .coef = coef.data(),
                                         .gradient = gradient.data(),
                                         .intercept = states_[k].intercept,
                                         .intercept_gradient = intercept_gradient(k),
                                         .loss = states_[k].loss,
                                         .pearson = states_[k].sums.pearson})
        .gap;
  }

  void step() {
    Each<n_interleaved> tolerance{};
    Each<n_interleaved> residual_sums{};
    for (std::size_t k = 0; k < tasks_.size(); ++k) {
      residual_sums[k] = states_[k].sums.residual;
      // squared error is its own model; any other loss has moved on before the model is solved exactly
      tolerance[k] = (tasks_[0].loss->is_quadratic ? 1e-5 : 0.01) * states_[k].violation;
    }
    before_.copy(coef_);
    model_.solve({.d = curvature_,
                  .totals = totals_,
                  .gradient = gradient_,
                  .residual_sums = residual_sums,
                  .tolerance = tolerance,
                  .open = open_},
                 monitor_, coef_);
    change_.resize(columns_.size());
    for (Index e = 0; e < coef_.size(); ++e) change_.data()[e] = coef_.data()[e] - before_.data()[e];
    const Each<n_interleaved> shift = multiply(change_);
    for (std::size_t k = 0; k < tasks_.size(); ++k) {
      if (!open_[k]) continue;
      ++tasks_[k].n_steps;
      const double moved = spec_.fit_intercept ? -model_.state_sums()[k] / totals_[k] : 0.0;
      open_[k] = move(k, moved - (spec_.fit_intercept ? shift[k] : 0.0), moved);
    }
  }

  // Armijo's rule on the true objective, along the segment to the model's minimiser: eta moves by slope_ + `moved`
  bool move(std::size_t k, double intercept_step, double moved) {
    State& state = states_[k];
    const InterleavedTask& task = tasks_[k];
    double expected = intercept_step * intercept_gradient(k);
    double penalty = 0.0;
    for (const auto s : state.place) {
      const ElasticNet& term = columns_.term(s, static_cast<Index>(k));
      penalty += term.value(before_[s][k]);
      if (change_[s][k] == 0.0) continue;
      expected += change_[s][k] * gradient_[s][k] + term.value(coef_[s][k]) - term.value(before_[s][k]);
    }
    const ArmijoRule rule{.objective = state.loss + penalty,
                          .expected = std::min(expected, 0.0),
                          .noise = task.problem->noise(state.loss) + 1e-13 * penalty};
    Vector trial(state.eta.size());
    const auto go = [&](double t) {
      for (Index i = 0; i < spec_.n_rows; ++i) trial[i] = state.eta[i] + t * (slope(k, i) + moved);
    };
    const double gone = tasks_[0].loss->is_quadratic ? 1.0 : backtrack(rule, [&](double t) {
      go(t);
      return objective_at(k, t, trial);
    });
    if (gone == 0.0) {
      for (const auto s : state.place) coef_[s][k] = before_[s][k];
      return false;
    }
    go(gone);
    if (gone < 1.0) {
      for (const auto s : state.place) coef_[s][k] = before_[s][k] + gone * change_[s][k];
    }
    state.eta.swap(trial);
    state.intercept += gone * intercept_step;
    return true;
  }

  double objective_at(std::size_t k, double t, const Vector& eta) const {
    double sum = tasks_[k].loss->evaluate(eta.data()).loss + tasks_[k].problem->constant;
    for (const auto s : states_[k].place) {
      const double b = t == 1.0 ? coef_[s][k] : before_[s][k] + t * change_[s][k];
      if (b != 0.0) sum += columns_.term(s, static_cast<Index>(k)).value(b);
    }
    return sum;
  }

  void save(std::size_t k) {
    State& state = states_[k];
    Solution& solution = *tasks_[k].solution;
    solution.coef.clear();
    for (const auto s : state.place) solution.coef.push_back(coef_[s][k]);
    solution.intercept = state.intercept;
    solution.intercept_gradient = intercept_gradient(k);
    solution.loss = state.loss;
    solution.pearson = state.sums.pearson;
    solution.residual = std::move(state.residual);
    solution.residual_sum = state.sums.residual;
    solution.dual = {};
  }

  const SparseDesign& design_;
  std::span<InterleavedTask> tasks_;
  const Specification& spec_;
  Monitor& monitor_;
  InterleavedColumns<n_interleaved> columns_;
  Model model_;
  std::vector<State> states_;
  ProblemFlags<n_interleaved> open_{};
  Each<n_interleaved> totals_{};
  InterleavedColumn<n_interleaved> coef_;
  InterleavedColumn<n_interleaved> before_;
  InterleavedColumn<n_interleaved> change_;
  InterleavedColumn<n_interleaved> gradient_;
  std::vector<Half> halves_;
  InterleavedArray<float> curvature_;
  Index entries_read_ = 0;
  Index columns_read_ = 0;
};

}  // namespace normball
