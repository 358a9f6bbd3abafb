// Tall data (n >> p) with a curved loss: Newton steps for a whole window of lambdas and all problems at once.
//
// Every pass over X evaluates many candidates (row_pass.hpp). The deepest point that was evaluated is the base from
// which the quadratic model predicts the next lambdas; they enter the window and are corrected, pass by pass, until
// each is certified. Gram is the dear part, so it is computed at a few places along log(lambda) only and
// blended between them; gradients are exact, so a stale curvature costs steps, never accuracy. Problems share the
// curvature of the first one until that proves too far off (folds differ little).
#include "paths/windows/window_path.hpp"

#include "paths/path_solver.hpp"
#include "paths/windows/block_values.hpp"
#include "paths/windows/coupled_pass.hpp"
#include "paths/windows/output_pass.hpp"
#include "paths/windows/problem_state.hpp"
#include "quadratic/continuation.hpp"

namespace normball {
namespace {

class WindowPath {
 public:
  WindowPath(RowPass& pass, const ValuesOfProblems& values, const Specification& spec, Threads& threads,
             Monitor& monitor)
      : spec_(spec),
        values_(values),
        pass_(pass),
        threads_(threads),
        monitor_(monitor),
        curvatures_(values.size()),
        models_(n_models),
        problem_states_(values.size()) {}

  double n_sweeps() const { return static_cast<double>(pass_.n_reads()); }

  // every problem's model without penalised features, with its loss and gradient
  void fit_null() {
    threads_.parallel_for(spec_.n_problems, [&](Index k) { start(k); });
    while (!is_done() && !monitor_.stopped()) round();
  }
  void take_null(Index k) { values_[k]->take_null(problem_states_[k].base); }

  void solve(PathResult& result, const double* centre) {
    centre_ = centre;
    plan(result);
    while (!monitor_.stopped()) {
      enter(result);
      if (is_done()) break;
      round();
      monitor_.progress(n_closed_ / spec_.n_problems, static_cast<Index>(result.lambdas.size()));
    }
  }

 private:
  static constexpr Index n_models = 8;  // workers' places; fixed, so that nothing depends on the number of threads
  static constexpr double price_of_round = 10.0;  // in steps: X is packed once for all of them

  struct Planned {
    double lambda;
    Index point;  // -1: a stride on the way
  };

  const Problem& problem(Index k) const { return values_[k]->problem(); }
  bool is_done() const {
    return std::ranges::all_of(problem_states_,
                               [](const ProblemState& problem_state) { return problem_state.open.empty(); });
  }

  // log(lambda), bent so that it ends at 0
  double position(double lambda) const {
    const double largest = largest_ > 0.0 ? largest_ : 1.0;
    return std::log(std::min(lambda, largest) + 1e-5 * largest);
  }

  // The intercept alone; the unpenalised features follow in rounds.
  void start(Index k) {
    ProblemState& problem_state = problem_states_[k];
    LambdaState state{
        .problem = k, .lambda = 0.0, .is_null = true, .terms = values_[k]->null_terms(), .point = nullptr};
    state.at = values_[k]->start();
    state.step = LambdaState::Step::reevaluate;
    state.wants_curvature = k == 0;
    problem_state.base = state.at;
    problem_state.open.push_back(std::move(state));
  }

  // lambdas to visit: between distant ones strides where the quadratic model is still of use
  void plan(const PathResult& result) {
    largest_ = std::max(problem(0).lambda_max, result.lambdas[0]);
    for (ProblemState& problem_state : problem_states_) {
      problem_state.position = position(largest_);
      problem_state.next = 0;
    }
    for (CurvaturePath& curvatures : curvatures_) curvatures.place(position(largest_));
    double previous = largest_;
    for (std::size_t l = 0; l < result.lambdas.size(); ++l) {
      for (const double lambda : strides(previous, result.lambdas[l], problem(0).lambda_max)) {
        planned_.push_back({.lambda = lambda, .point = -1});
      }
      planned_.push_back({.lambda = result.lambdas[l], .point = static_cast<Index>(l)});
      previous = result.lambdas[l];
    }
  }

  // Lambdas within lookahead of the base join the window; the deepest of them shall tell its curvature.
  void enter(PathResult& result) {
    for (Index k = 0; k < spec_.n_problems; ++k) {
      ProblemState& problem_state = problem_states_[k];
      const std::size_t before = problem_state.open.size();
      while (problem_state.next < std::ssize(planned_) && problem_state.open.size() < ProblemState::most_open) {
        const auto [lambda, l] = planned_[problem_state.next];
        if (!problem_state.open.empty() && problem_state.position - position(lambda) > problem_state.lookahead) break;
        const auto place = static_cast<std::size_t>(k) * result.lambdas.size() + static_cast<std::size_t>(l);
        Point* point = l < 0 ? nullptr : &result.points[place * static_cast<std::size_t>(spec_.n_outputs)];
        LambdaState state{.problem = k,
                          .lambda = lambda,
                          .terms = values_[k]->terms(lambda),
                          .point = point,
                          .plan = static_cast<Index>(problem_state.next++)};
        state.at = problem_state.base;
        state.position = position(lambda);
        state.violation = state.terms.violation_at(state.at);
        if (!close(state)) problem_state.open.push_back(std::move(state));
      }
      if (problem_state.owner != k) continue;
      curvatures_[k].forget_above(problem_state.open.empty() ? problem_state.position
                                                             : problem_state.open.front().position);
      if (problem_state.open.size() == before) continue;
      LambdaState& deepest = problem_state.open.back();
      if (curvatures_[k].distance(deepest.position) >= 0.5 * problem_state.lookahead) deepest.wants_curvature = true;
    }
  }

  // every open state proposes, one pass evaluates, every state judges
  void round() {
    std::vector<LambdaState*> states;
    for (ProblemState& problem_state : problem_states_) {
      for (LambdaState& state : problem_state.open) states.push_back(&state);
    }
    propose(states);
    std::vector<Evaluation> evaluations(states.size());
    std::vector<Evaluation*> list;
    for (std::size_t i = 0; i < states.size(); ++i) {
      prepare(*states[i], evaluations[i]);
      list.push_back(&evaluations[i]);
    }
    if (!pass_.run(list)) return monitor_.stop();
    for (std::size_t i = 0; i < states.size(); ++i) judge(*states[i], evaluations[i]);
    for (ProblemState& problem_state : problem_states_) problem_state.retreat();
    refresh();
    for (ProblemState& problem_state : problem_states_)
      std::erase_if(problem_state.open, [](const LambdaState& state) { return state.closed; });
  }

  void propose(const std::vector<LambdaState*>& states) {
    const auto count = static_cast<Index>(states.size());
    threads_.parallel_for(n_models, [&](Index m) {
      models_[m].forget();
      for (Index i = count * m / n_models; i < count * (m + 1) / n_models; ++i) {
        LambdaState& state = *states[i];
        if (state.step != LambdaState::Step::newton) continue;
        const ProblemState& problem_state = problem_states_[state.problem];
        const WindowValues& values = *values_[state.problem];
        const Problem& problem = values.problem();
        models_[m].set(mix(problem_state, state), values);
        const bool knows_size = problem.largest_gradient > 0.0;
        const double size = knows_size ? problem.largest_gradient : problem.gradient_size(state.at.loss);
        // a violation that is small beside lambda may still cost much where coefficients are large
        const double share = std::min(1e-8, 1e-3 * spec_.tol);
        const double asked = state.is_null ? 1e-13 * size : share * std::min(size, state.lambda);
        const double tolerance = std::max(1e-14 * size, asked);
        const Secant* secant = state.secant ? &*state.secant : nullptr;
        const double step = models_[m].minimise(values, state.at, state.terms, secant, tolerance, state.goal);
        state.aim(step, problem);
      }
    });
  }

  CurvaturePath::Mix mix(const ProblemState& problem_state, const LambdaState& state) const {
    if (state.own) return {.first = state.own.get(), .second = state.own.get()};
    const CurvaturePath& curvatures =
        curvatures_[problem_state.owner].empty() ? curvatures_[0] : curvatures_[problem_state.owner];
    // a prediction crosses the way from its base: the curvature half-way is the best constant one
    return curvatures.at(state.n_accepted == 0 ? 0.5 * (problem_state.position + state.position) : state.position);
  }

  void prepare(const LambdaState& state, Evaluation& evaluation) const {
    evaluation.problem = state.problem;
    values_[state.problem]->ask(state.trial_coefs(), state.trial_intercept(), evaluation);
    if (!state.wants_curvature) return;
    evaluation.curvature = std::make_shared<WindowCurvature>();
    evaluation.curvature->position = state.position;
    evaluation.is_precise = problem_states_[state.problem].is_precise || state.wants_precision;
  }

  void judge(LambdaState& state, Evaluation& evaluation) {
    ProblemState& problem_state = problem_states_[state.problem];
    const Problem& problem = this->problem(state.problem);
    Iterate seen{.coef = state.trial_coefs(), .intercept = state.trial_intercept()};
    values_[state.problem]->read(evaluation, seen);
    seen.loss = evaluation.sums.loss + problem.constant;
    seen.pearson = evaluation.sums.pearson;
    seen.squares = evaluation.sums.squares;
    const bool is_reevaluated = state.step == LambdaState::Step::reevaluate;
    const bool taken = state.take(std::move(seen), problem);
    state.closed = close(state);
    if (!taken) return;
    if (evaluation.curvature) keep(state, is_reevaluated, evaluation.curvature);
    if (state.position <= problem_state.position) {
      problem_state.base = state.at;
      problem_state.position = state.position;
    }
  }

  void keep(LambdaState& state, bool is_reevaluated, const std::shared_ptr<WindowCurvature>& curvature) {
    state.wants_curvature = false;
    if (is_reevaluated || state.own) state.own = curvature;
    if (!is_reevaluated || state.is_null) curvatures_[state.problem].insert(curvature);
  }

  // Where old curvatures make for slow progress, new ones. Neighbouring states share one, in the middle of them, as
  // soon as the steps that it saves cost more than it does: a step is 4 n p multiplications and its share of the round,
  // a curvature in few digits about n p^2 / 2.
  void refresh() {
    Index n_open = 0;
    for (const ProblemState& problem_state : problem_states_)
      n_open += std::ranges::count_if(problem_state.open, [](const LambdaState& s) { return !s.closed; });
    const double step = 1.0 + price_of_round / static_cast<double>(std::max<Index>(n_open, 1));
    const double curvature = 5.0 + static_cast<double>(spec_.n_features * spec_.n_outputs) / 4.0;
    for (Index k = 0; k < spec_.n_problems; ++k) {
      ProblemState& problem_state = problem_states_[k];
      std::vector<LambdaState*> slow;
      double saved = 0.0;
      for (LambdaState& state : problem_state.open) {
        const double surplus = state.closed ? 0.0 : state.steps_ahead(spec_.tol) - 2.0;
        if (surplus <= 0.0) continue;
        slow.push_back(&state);
        saved += surplus * step;
        if (saved <= curvature) continue;
        LambdaState& middle = *slow[slow.size() / 2];
        problem_state.owner = k;
        if (!curvatures_[k].empty() && curvatures_[k].distance(middle.position) == 0.0) problem_state.is_precise = true;
        middle.wants_curvature = true;
        slow.clear();
        saved = 0.0;
      }
    }
  }

  // certified, out of steps, or good enough for a stride
  bool close(LambdaState& state) {
    const Problem& problem = this->problem(state.problem);
    if (state.point == nullptr) {
      if (!state.is_null && problem.has_nothing_to_explain()) return true;
      const double enough = state.is_null ? 1e-12 * problem.gradient_size(state.at.loss) : 0.1 * state.lambda;
      return state.violation <= enough || state.n_iter >= (state.is_null ? 100 : 20) || state.gave_up;
    }
    const Certificate certificate = values_[state.problem]->certificate(state.lambda, state.at);
    Point& point = *state.point;
    point.dual_gap = problem.relative(certificate.gap);
    point.kkt_violation = certificate.kkt_violation;
    state.note(point.dual_gap);
    if (problem.is_solved(certificate)) {
      point.status = Status::converged;
    } else if (state.n_iter >= spec_.max_iter) {
      point.status = Status::max_iter;
    } else if (state.gave_up) {
      point.status = Status::numerical;
    } else {
      return false;
    }
    point.n_iter = std::max(1, state.n_iter);
    values_[state.problem]->write(state.lambda, centre_, state.at, state.point);
    ++n_closed_;
    return true;
  }

  const Specification& spec_;
  const ValuesOfProblems& values_;
  RowPass& pass_;
  Threads& threads_;
  Monitor& monitor_;
  std::vector<CurvaturePath> curvatures_;
  std::vector<WindowModel> models_;
  std::vector<ProblemState> problem_states_;
  std::vector<Planned> planned_;
  double largest_ = 0.0;
  const double* centre_ = nullptr;
  Index n_closed_ = 0;
};

// where f'' jumps, working sets know each piece; rows in blocks blend what many rows make nearly smooth
bool can(const Call& call) {
  const LossTraits& loss = *call.spec.family;
  return !loss.is_quadratic && !loss.is_piecewise;
}

// p x p curvatures, a few at a time, must be small against X; of sparse X, where a step is a few products with its
// entries, against these. Where values are those of blocks, or a loss couples rows, small data is quick on sets, too,
// which prove to the last digits.
bool pays(const Call& call) {
  constexpr Index fewest = 1000;
  const Specification& spec = call.spec;
  const Index p = spec.n_features;
  if (!spec.is_separable()) {
    const Index of_outputs = std::max<Index>(3, spec.n_outputs) * spec.n_outputs;
    return !call.design.is_sparse() && spec.n_rows >= std::max(fewest, 10 * p * of_outputs);
  }
  Index n_entries = 0;
  for (Index j = 0; j < p; ++j) n_entries += call.design.n_entries(j);
  return spec.n_rows >= 10 * p && n_entries >= p * p && (spec.family->is_separable || spec.n_rows >= fewest);
}

// A likelihood that a feature or an offset makes monotone leaves next to no curvature, of which a model in few terms
// says little; and where nearly all is explained without a penalty, steps by curvatures of other lambdas end before the
// last digits. Working sets have all of them, and parabolas above the loss.
bool is_lost(const PathResult& result) {
  return !result.interrupted &&
         std::ranges::any_of(result.points, [](const Point& point) { return point.status == Status::numerical; });
}

// of problems whose intercepts begin at `starts`, for each output
ValuesOfProblems block_values(const Call& call, std::vector<Problem>& problems, const Vector& units,
                              const std::vector<Vector>& starts) {
  ValuesOfProblems values;
  for (std::size_t k = 0; k < problems.size(); ++k) {
    FeatureBlocks blocks(call.design, problems[k], call.threads);
    values.push_back(std::make_unique<BlockValues>(problems[k], std::move(blocks), units, starts[k]));
  }
  return values;
}

PathResult run_outputs(const Call& call) {
  Vector centre;
  Monitor monitor(call.poll);
  std::vector<Problem> problems = make_problems(call.design, centre, call.spec, false, call.threads);
  const Vector units = common_units(call.spec, problems);
  std::vector<Vector> starts;
  starts.reserve(problems.size());
  for (Problem& problem : problems) starts.push_back(start_outputs(call.spec, problem));
  OutputPass pass(call.design, call.spec, problems, units, call.threads);
  PathResult result = path_by_windows(pass, block_values(call, problems, units, starts), call.spec, problems, centre,
                                      call.threads, monitor);
  result.null_intercepts.clear();  // they are values here
  return is_lost(result) ? by_blocks.run(call) : result;
}

PathResult run(const Call& call) {
  if (call.spec.n_outputs > 1) return run_outputs(call);
  Vector centre;
  Monitor monitor(call.poll);
  auto [problems, losses] = problems_on_rows(call, centre);
  const Vector units = common_units(call.spec, problems);
  std::vector<Vector> starts;
  starts.reserve(problems.size());
  for (const Problem& problem : problems) starts.push_back({problem.null_intercept});
  const auto solve = [&](RowPass&& pass) {
    const ValuesOfProblems values =
        call.spec.is_separable() ? single_values(problems, units) : block_values(call, problems, units, starts);
    return path_by_windows(pass, values, call.spec, problems, centre, call.threads, monitor);
  };
  PathResult result = call.spec.family->is_separable
                          ? solve(DesignPass(call.design, call.spec, losses, problems, units, call.threads))
                          : solve(CoupledPass(call.design, call.spec, losses, problems, units, call.threads));
  if (!is_lost(result)) return result;
  return (call.spec.is_separable() ? by_working_sets : by_blocks).run(call);
}

}  // namespace

ValuesOfProblems single_values(std::vector<Problem>& problems, const Vector& units) {
  ValuesOfProblems values;
  for (Problem& problem : problems) values.push_back(std::make_unique<SingleValues>(problem, units));
  return values;
}

PathResult path_by_windows(RowPass& pass, const ValuesOfProblems& values, const Specification& spec,
                           std::vector<Problem>& problems, const Vector& centre, Threads& threads, Monitor& monitor) {
  WindowPath solver(pass, values, spec, threads, monitor);
  return run_path(solver, spec, problems, centre);
}

constexpr PathSolver by_windows = {.can = can, .pays = pays, .run = run};

}  // namespace normball
