#include "paths/working_set/eight_lambdas.hpp"

namespace normball {
namespace {

constexpr double first_shrink = 0.03;  // the first model is left early, since the loss will differ from it
constexpr int most_proofs = 3;
constexpr int most_newton_steps = 15;

}  // namespace

EightLambdas::EightLambdas(const SparseDesign& design, const Problem& problem, const Loss& loss,
                           const std::vector<Index>& set, std::span<LambdaTask> tasks, Monitor& monitor)
    : design_(design),
      problem_(problem),
      loss_(loss),
      set_(set),
      tasks_(tasks),
      monitor_(monitor),
      copy_(copy_rows(design, set, problem.weights)),
      size_(problem.natural_size() > 0.0 ? problem.natural_size() : 1.0),
      models_(copy_, model_columns(), problem.spec->fit_intercept),
      states_(tasks.size()) {
  for (State& state : states_) {
    for (Vector* numbers : {&state.coef, &state.after, &state.gradient, &state.dual_gradient}) {
      numbers->assign(set.size(), 0.0);
    }
  }
}

// Bounds and shares of l1 and l2, in the models' units.
std::vector<EightModels::Column> EightLambdas::model_columns() {
  std::vector<EightModels::Column> columns;
  for (Index c = 0; c < size(); ++c) {
    const Index j = set_[c];
    const double unit = copy_.norms[c] > 0.0 ? problem_.scaling.scale[j] / copy_.norms[c] : 1.0;
    const double factor = problem_.penalty.factor(j);
    const ElasticNet term = problem_.term(j, 1.0);
    units_.push_back(unit * size_);
    factors_.push_back(factor);
    columns.push_back({.l1 = static_cast<float>(factor * unit),
                       .l2 = static_cast<float>(factor * unit * unit),
                       .lower = static_cast<float>(term.lower / units_[c]),
                       .upper = static_cast<float>(term.upper / units_[c])});
    if (factor == 0.0) continue;
    smallest_l1_ = std::min(smallest_l1_, factor * unit);
    smallest_l2_ = std::min(smallest_l2_, factor * unit * unit);
  }
  return columns;
}

void EightLambdas::solve(const Solution* last) {
  start(last);
  const auto is_open = [](const State& state) { return state.is_open; };
  const auto steps = [](const State& state) { return state.is_open && !state.may_be_done; };
  while (std::ranges::any_of(states_, is_open) && !monitor_.stopped()) {
    if (std::ranges::any_of(states_, steps)) {
      step();
    } else {
      prove();
    }
  }
  for (Index k = 0; k < n_lambdas(); ++k) save(k);
}

void EightLambdas::start(const Solution* last) {
  const auto take = [&](Index k, const Solution& from) {
    states_[k].coef = from.coef;
    states_[k].coef.resize(set_.size(), 0.0);
    states_[k].intercept = from.intercept;
  };
  for (Index k = 0; k < n_lambdas(); ++k) take(k, *tasks_[k].solution);
  set_eta();
  bool is_back = false;
  for (Index k = 0; last != nullptr && k < n_lambdas(); ++k) {
    const double objective = states_[k].loss + states_[k].penalty;
    take(k, *last);
    states_[k].penalty = penalty(k, states_[k].coef);
    if (objective < last->loss + states_[k].penalty) {
      take(k, *tasks_[k].solution);
      states_[k].penalty = penalty(k, states_[k].coef);
    } else {
      is_back = true;
    }
  }
  if (is_back) set_eta();
}

// eta of the open lambdas from their coefficients, and what follows from it
void EightLambdas::set_eta() {
  rows_.assign(problem_.spec->n_rows, 0.0);
  EightNumbers shift{};
  for (Index c = 0; c < size(); ++c) {
    const double scale = problem_.scaling.scale[set_[c]];
    double raw[n_side_by_side];
    bool moves = false;
    for (Index k = 0; k < n_side_by_side; ++k) {
      const double coef = k < n_lambdas() ? states_[k].coef[c] : 0.0;
      raw[k] = coef == 0.0 ? 0.0 : coef / scale;
      shift[k] -= raw[k] * centre(c);
      moves = moves || raw[k] != 0.0;
    }
    if (moves) design_.add_eight(set_[c], raw, rows_.data());
  }
  for (Index k = 0; k < n_lambdas(); ++k) {
    State& state = states_[k];
    if (!state.is_open) continue;
    Vector eta(problem_.offset, problem_.offset + problem_.spec->n_rows);
    for (Index i = 0; i < rows_.rows(); ++i) eta[i] += state.intercept + shift[k] + rows_[i][k];
    evaluate(k, eta);
    state.eta.swap(eta);
    state.penalty = penalty(k, state.coef);
  }
}

void EightLambdas::evaluate(Index k, const Vector& eta) {
  State& state = states_[k];
  state.residual.resize(eta.size());
  state.curvature.resize(eta.size());
  state.sums = loss_.evaluate(eta.data(), {.residual = state.residual.data(),
                                           .curvature = state.curvature.data(),
                                           .least_curvature = problem_.least_curvature()});
  state.loss = state.sums.loss + problem_.constant;
  state.total = 0.0;
  for (const double d : state.curvature) state.total += d;
  state.has_gradient = false;
}

double EightLambdas::penalty(Index k, const Vector& coef) const {
  double absolute = 0.0;
  double square = 0.0;
  for (Index c = 0; c < size(); ++c) {
    absolute += factors_[c] * std::abs(coef[c]);
    square += factors_[c] * coef[c] * coef[c];
  }
  const double ratio = problem_.penalty.l1_ratio();
  return tasks_[k].lambda * (ratio * absolute + 0.5 * (1.0 - ratio) * square);
}

// products of the stored columns with the residuals or the dual points of the open lambdas
void EightLambdas::read(bool dual) {
  rows_.resize(problem_.spec->n_rows);
  for (Index k = 0; k < n_side_by_side; ++k) {
    const Vector* vector = k < n_lambdas() ? (dual ? &states_[k].dual : &states_[k].residual) : nullptr;
    if (vector == nullptr || vector->empty()) {
      rows_.put(k, 0.0);
    } else {
      rows_.put(k, vector->data());
    }
  }
  double products[n_side_by_side];
  for (Index c = 0; c < size(); ++c) {
    design_.dot_eight(set_[c], rows_.data(), products);
    for (Index k = 0; k < n_lambdas(); ++k) {
      (dual ? states_[k].dual_gradient : states_[k].gradient)[c] = products[k];
    }
  }
  columns_read_ += size();
}

// one Newton step of every lambda that is open and not presumed to be done
void EightLambdas::step() {
  const auto lacks_gradient = [](const State& state) {
    return state.is_open && !state.may_be_done && !state.has_gradient;
  };
  if (std::ranges::any_of(states_, lacks_gradient)) read(false);
  const EightModels::Question asked = question();
  for (Index r = 0; r < copy_.n_rows(); ++r) {
    for (Index k = 0; k < n_lambdas(); ++k) {
      models_.d()[r][k] = static_cast<float>(states_[k].curvature[copy_.rows[r]] / states_[k].total);
    }
  }
  for (Index c = 0; c < size(); ++c) {
    for (Index k = 0; k < n_lambdas(); ++k) {
      const double curvature = states_[k].total * size_ * copy_.norms[c];
      models_.b()[c][k] = static_cast<float>(states_[k].coef[c] / units_[c]);
      models_.gradient()[c][k] = static_cast<float>(states_[k].gradient[c] / curvature);
    }
  }
  models_.minimise(asked, monitor_);
  models_.times_change(moved_);
  for (Index c = 0; c < size(); ++c) {
    for (Index k = 0; k < n_lambdas(); ++k) states_[k].after[c] = minimiser(c, k);
  }
  for (Index k = 0; k < n_lambdas(); ++k) {
    if (asked.open[k]) move(k);
  }
}

// of the model: a coefficient with its digits, at zero or a bound exactly
double EightLambdas::minimiser(Index c, Index k) const {
  const double before = states_[k].coef[c];
  const double change = static_cast<double>(models_.change(c, k)) * units_[c];
  if (change == 0.0) return before;
  const ElasticNet term = problem_.term(set_[c], tasks_[k].lambda);
  if (!models_.is_held(c, k)) return term.reachable(before, change);
  const double at = before + change;
  const double bound = at > 0.0 ? term.upper : term.lower;
  return std::abs(at - bound) < std::abs(at) ? bound : 0.0;
}

EightModels::Question EightLambdas::question() const {
  EightModels::Question asked;
  for (Index k = 0; k < n_lambdas(); ++k) {
    const State& state = states_[k];
    const double lambda = tasks_[k].lambda;
    const double ratio = problem_.penalty.l1_ratio();
    asked.open[k] = state.is_open && !state.may_be_done;
    asked.l1[k] = lambda * ratio / (state.total * size_);
    asked.l2[k] = lambda * (1.0 - ratio) / state.total;
    asked.shift[k] = problem_.spec->fit_intercept ? -state.sums.residual / (state.total * size_) : 0.0;
    asked.target[k] = target(k);
    asked.shrink[k] = tasks_[k].n_steps == 0 && !loss_.is_quadratic ? first_shrink : 0.0;
  }
  return asked;
}

// What gradients of at most `left` cost in the gap, in the model's units: their product with the coefficients, or,
// where there is a ridge, their squares over twice that (M8).
EightLambdas::Worth EightLambdas::worth(Index k) const {
  const State& state = states_[k];
  const double unit = state.total * size_ * size_;
  double sum = 1e-300;
  for (Index c = 0; c < size(); ++c) sum += std::abs(state.coef[c]) / units_[c];
  const double ridge = tasks_[k].lambda * (1.0 - problem_.penalty.l1_ratio()) / state.total * smallest_l2_;
  return {.linear = sum * unit, .square = ridge > 0.0 ? static_cast<double>(size()) / (2.0 * ridge) * unit : infinity};
}

// how small they are to be: half of the goal at most, and well within what is promised of KKT violations
double EightLambdas::target(Index k) const {
  const double l1 = tasks_[k].lambda * problem_.penalty.l1_ratio() / (states_[k].total * size_) * smallest_l1_;
  const double share = 0.5 * tasks_[k].goal;
  const Worth cost = worth(k);
  return std::clamp(std::max(share / cost.linear, std::sqrt(share / cost.square)), 1e-7 * l1, 1e-4 * l1);
}

void EightLambdas::move(Index k) {
  State& state = states_[k];
  LambdaTask& task = tasks_[k];
  ++task.n_steps;
  slope_.assign(state.eta.size(), 0.0);
  for (Index r = 0; r < copy_.n_rows(); ++r) {
    slope_[copy_.rows[r]] = size_ * static_cast<double>(moved_[r][k]);
  }
  double shift = 0.0;  // the sum of what the model makes of the residuals stays 0
  if (problem_.spec->fit_intercept) {
    double sum = state.sums.residual;
    for (std::size_t i = 0; i < slope_.size(); ++i) sum += state.curvature[i] * slope_[i];
    shift = -sum / state.total;
  }
  Vector dual = state.residual;
  for (std::size_t i = 0; i < slope_.size(); ++i) {
    slope_[i] += shift;
    dual[i] += state.curvature[i] * slope_[i];
  }
  const double gone = advance(k);
  state.intercept += gone * (shift + centre_change(k));
  for (Index c = 0; c < size(); ++c) {
    state.coef[c] = gone == 1.0 ? state.after[c] : state.coef[c] + gone * (state.after[c] - state.coef[c]);
  }
  state.penalty = penalty(k, state.coef);
  double gap = worth(k).of(models_.left(k));
  state.dual.clear();
  if (gone == 1.0 && !loss_.is_quadratic) {
    state.dual_sums = loss_.dual(state.eta.data(), dual.data());
    if (state.dual_sums.dual_pearson <= task.goal) state.dual.swap(dual);
    gap += state.dual_sums.dual_pearson;
  }
  state.progress.note(gap);
  // without a step that helps rounding is all that is left, or too much of it: the proof will tell
  state.may_be_done = gone == 0.0 || (gone == 1.0 && gap <= 0.95 * task.goal) || is_exhausted(k);
}

// Armijo's rule on the true objective, along the segment to the model's minimiser; the part of it that is gone
double EightLambdas::advance(Index k) {
  State& state = states_[k];
  const double reached = penalty(k, state.after);
  double expected = reached - state.penalty;
  for (std::size_t i = 0; i < slope_.size(); ++i) expected += state.residual[i] * slope_[i];
  const ArmijoRule rule{.objective = state.loss + state.penalty,
                        .expected = std::min(expected, 0.0),
                        .noise = problem_.noise(state.loss) + 1e-13 * state.penalty};
  Vector eta(state.eta.size());
  const auto go = [&](double t) {
    for (std::size_t i = 0; i < eta.size(); ++i) eta[i] = state.eta[i] + t * slope_[i];
    evaluate(k, eta);
    if (t == 1.0) return state.loss + reached;
    Vector coef = state.coef;
    for (Index c = 0; c < size(); ++c) coef[c] += t * (state.after[c] - state.coef[c]);
    return state.loss + penalty(k, coef);
  };
  const double gone = backtrack(rule, go);
  if (gone == 0.0 || rule.is_negligible()) go(gone);
  if (gone > 0.0) state.eta.swap(eta);
  return gone;
}

// what the columns' centres add to the intercept on the way to the model's minimiser
double EightLambdas::centre_change(Index k) const {
  double sum = 0.0;
  for (Index c = 0; c < size(); ++c) {
    const double change = states_[k].after[c] - states_[k].coef[c];
    if (change != 0.0) sum += centre(c) * change / problem_.scaling.scale[set_[c]];
  }
  return sum;
}

bool EightLambdas::is_exhausted(Index k) const {
  return tasks_[k].n_steps >= std::min(tasks_[k].max_steps, most_newton_steps) || states_[k].progress.is_stalled();
}

// all open lambdas are presumed to be done: eta anew, and one read of the set for the residuals and the dual points
void EightLambdas::prove() {
  set_eta();
  read(false);
  bool has_dual = false;
  for (Index k = 0; k < n_lambdas(); ++k) {
    State& state = states_[k];
    if (!state.is_open || state.dual.empty()) continue;
    state.dual_sums = loss_.dual(state.eta.data(), state.dual.data());
    has_dual = true;
  }
  if (has_dual) read(true);
  for (Index k = 0; k < n_lambdas(); ++k) {
    State& state = states_[k];
    if (!state.is_open) continue;
    save(k);
    const Certificate certificate = Listed(set_, *tasks_[k].solution).certificate(problem_, tasks_[k].lambda);
    tasks_[k].solution->on_set = certificate;
    const bool is_solved = certificate.gap <= tasks_[k].goal && certificate.is_stationary;
    ++state.n_proofs;
    tasks_[k].is_lost = !is_solved && (state.n_proofs >= most_proofs || is_exhausted(k));
    state.is_open = !is_solved && !tasks_[k].is_lost;
    state.may_be_done = false;
    state.has_gradient = true;
  }
}

void EightLambdas::save(Index k) {
  const State& state = states_[k];
  Solution& solution = *tasks_[k].solution;
  const auto gradients = [&](const Vector& products, double total, Vector& out) {
    out.resize(set_.size());
    for (Index c = 0; c < size(); ++c) {
      out[c] = (products[c] - centre(c) * total) / problem_.scaling.scale[set_[c]];
    }
  };
  const bool has_intercept = problem_.spec->fit_intercept;
  solution.coef = state.coef;
  solution.intercept = state.intercept;
  solution.intercept_gradient = has_intercept ? state.sums.residual : 0.0;
  solution.loss = state.loss;
  solution.pearson = state.sums.pearson;
  solution.residual = state.residual;
  solution.residual_sum = state.sums.residual;
  gradients(state.gradient, state.sums.residual, solution.gradient);
  solution.violators.clear();
  solution.dual = {};
  if (state.dual.empty()) return;
  solution.dual.rows = state.dual;
  solution.dual.sums = state.dual_sums;
  solution.dual.intercept_gradient = has_intercept ? state.dual_sums.total : 0.0;
  gradients(state.dual_gradient, state.dual_sums.total, solution.dual.gradient);
}

}  // namespace normball
