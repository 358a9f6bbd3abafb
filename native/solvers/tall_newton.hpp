// Tall data (n >> p) with a curved loss: Newton steps for a whole window of lambdas and all problems at once.
//
// Every pass over X evaluates many candidates (row_pass.hpp). The deepest point that was evaluated is the base from
// which the quadratic model predicts the next lambdas; they enter the window and are corrected, pass by pass, until
// each is certified. Curvature is the dear part, so it is computed at a few places along log(lambda) only and
// blended between them; gradients are exact, so a stale curvature costs steps, never accuracy. Problems share the
// curvature of the first one until that proves too far off (folds differ little).
#pragma once

#include "null_model.hpp"
#include "tall_model.hpp"
#include "tall_run.hpp"

namespace normball {

template <Design D, Loss L>
class TallNewton {
 public:
  static constexpr bool is_quadratic = false;

  TallNewton(const D& design, const Specification& spec, std::vector<Problem>& problems, Threads& threads,
             Monitor& monitor)
      : spec_(spec),
        problems_(problems),
        units_(common_units(spec, problems)),
        pass_(design, spec, problems, units_, threads),
        threads_(threads),
        monitor_(monitor),
        tracks_(problems.size()),
        models_(n_models),
        runs_(problems.size()) {}

  double n_sweeps() const { return static_cast<double>(pass_.n_reads()); }

  // every problem's model without penalised features, with its loss and gradient
  void fit_null() {
    threads_.parallel_for(spec_.n_problems, [&](Index k) { start(k); });
    while (!is_done() && !monitor_.stopped()) round();
    for (std::size_t k = 0; k < runs_.size(); ++k) load(problems_[k], runs_[k].base);
  }

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

  Index p() const { return spec_.n_features; }
  bool is_done() const {
    return std::ranges::all_of(runs_, [](const Run& run) { return run.open.empty(); });
  }

  // log(lambda), bent so that it ends at 0
  double position(double lambda) const {
    const double largest = largest_ > 0.0 ? largest_ : 1.0;
    return std::log(std::min(lambda, largest) + 1e-5 * largest);
  }

  // The intercept alone; the unpenalised features follow in rounds.
  void start(Index k) {
    Problem& problem = problems_[k];
    Run& run = runs_[k];
    Stop stop{.problem = k, .lambda = infinity, .terms = terms_in_units(problem, units_, infinity), .point = nullptr};
    stop.at = {.coef = Vector(static_cast<std::size_t>(p()), 0.0), .gradient = Vector(static_cast<std::size_t>(p()))};
    stop.at.intercept = NullModel<L>(problem).intercept();
    stop.step = Stop::Step::probe;
    stop.wants_curvature = k == 0;
    run.open.push_back(std::move(stop));
  }

  // lambdas to visit: between distant ones strides where the quadratic model is still of use
  void plan(const PathResult& result) {
    constexpr double stride = 0.25;
    largest_ = std::max(problems_[0].lambda_max, result.lambdas[0]);
    for (Run& run : runs_) {
      run.position = position(largest_);
      run.next = 0;
    }
    for (CurvatureTrack& track : tracks_) track.place(position(largest_));
    double previous = largest_;
    for (std::size_t l = 0; l < result.lambdas.size(); ++l) {
      const double goal = std::max(result.lambdas[l], 1e-4 * problems_[0].lambda_max);
      for (; previous * stride > goal; previous *= stride) planned_.push_back({previous * stride, -1});
      planned_.push_back({result.lambdas[l], static_cast<Index>(l)});
      previous = result.lambdas[l];
    }
  }

  // Lambdas within reach of the base join the window; the deepest of them shall tell its curvature.
  void enter(PathResult& result) {
    for (Index k = 0; k < spec_.n_problems; ++k) {
      Run& run = runs_[k];
      const std::size_t before = run.open.size();
      while (run.next < std::ssize(planned_) && run.open.size() < Run::most_open) {
        const auto [lambda, l] = planned_[run.next];
        if (!run.open.empty() && run.position - position(lambda) > run.reach) break;
        Point* point = l < 0 ? nullptr : &result.points[static_cast<std::size_t>(k) * result.lambdas.size() + l];
        Stop stop{.problem = k,
                  .lambda = lambda,
                  .terms = terms_in_units(problems_[k], units_, lambda),
                  .point = point,
                  .plan = static_cast<Index>(run.next++)};
        stop.at = run.base;
        stop.position = position(lambda);
        stop.violation = stop.violation_at(stop.at);
        if (!settle(stop)) run.open.push_back(std::move(stop));
      }
      if (run.owner != k) continue;
      tracks_[k].forget_above(run.open.empty() ? run.position : run.open.front().position);
      if (run.open.size() == before) continue;
      Stop& deepest = run.open.back();
      if (tracks_[k].distance(deepest.position) >= 0.5 * run.reach) deepest.wants_curvature = true;
    }
  }

  // every open stop proposes, one pass evaluates, every stop judges
  void round() {
    std::vector<Stop*> stops;
    for (Run& run : runs_) {
      for (Stop& stop : run.open) stops.push_back(&stop);
    }
    propose(stops);
    std::vector<Evaluation> evaluations(stops.size());
    std::vector<Evaluation*> list;
    for (std::size_t i = 0; i < stops.size(); ++i) {
      prepare(*stops[i], evaluations[i]);
      list.push_back(&evaluations[i]);
    }
    pass_.run(list);
    for (std::size_t i = 0; i < stops.size(); ++i) judge(*stops[i], evaluations[i]);
    for (Run& run : runs_) run.retreat();
    refresh();
    for (Run& run : runs_) std::erase_if(run.open, [](const Stop& stop) { return stop.closed; });
  }

  void propose(const std::vector<Stop*>& stops) {
    const auto count = static_cast<Index>(stops.size());
    threads_.parallel_for(n_models, [&](Index m) {
      models_[m].forget();
      for (Index i = count * m / n_models; i < count * (m + 1) / n_models; ++i) {
        Stop& stop = *stops[i];
        if (stop.step != Stop::Step::newton) continue;
        const Run& run = runs_[stop.problem];
        const Problem& problem = problems_[stop.problem];
        models_[m].set(mix(run, stop));
        const bool knows_size = problem.largest_gradient > 0.0;
        const double size = knows_size ? problem.largest_gradient : problem.gradient_size(stop.at.loss);
        // a violation that is small beside lambda may still cost much where coefficients are large
        const double share = stop.lambda == infinity ? 1e-13 : std::min(1e-8, 1e-3 * spec_.tol);
        const double tolerance = std::max(1e-14 * size, share * std::min(size, stop.lambda));
        const Secant* secant = stop.secant ? &*stop.secant : nullptr;
        const double step = models_[m].minimise(problem, units_, stop.at, stop.terms, secant, tolerance, stop.goal);
        stop.aim(step, problem);
      }
    });
  }

  CurvatureTrack::Mix mix(const Run& run, const Stop& stop) const {
    if (stop.own) return {.first = stop.own.get(), .second = stop.own.get()};
    const CurvatureTrack& track = tracks_[run.owner].empty() ? tracks_[0] : tracks_[run.owner];
    // a prediction crosses the way from its base: the curvature half-way is the best constant one
    return track.at(stop.n_accepted == 0 ? 0.5 * (run.position + stop.position) : stop.position);
  }

  void prepare(const Stop& stop, Evaluation& evaluation) const {
    const Problem& problem = problems_[stop.problem];
    evaluation.problem = stop.problem;
    evaluation.coef.resize(static_cast<std::size_t>(p()));
    evaluation.constant = stop.trial_intercept();
    for (Index j = 0; j < p(); ++j) {
      evaluation.coef[j] = stop.trial_coef(j) / units_[j];
      evaluation.constant -= evaluation.coef[j] * problem.shift[j];
    }
    if (!stop.wants_curvature) return;
    evaluation.curvature = std::make_shared<TallCurvature>();
    evaluation.curvature->position = stop.position;
    evaluation.is_precise = runs_[stop.problem].is_precise || stop.wants_precision;
  }

  void judge(Stop& stop, Evaluation& evaluation) {
    Run& run = runs_[stop.problem];
    const Problem& problem = problems_[stop.problem];
    Iterate seen;
    seen.coef.resize(static_cast<std::size_t>(p()));
    seen.gradient.resize(static_cast<std::size_t>(p()));
    for (Index j = 0; j < p(); ++j) {
      seen.coef[j] = stop.trial_coef(j);
      const double product = evaluation.product[j] - problem.shift[j] * evaluation.sums.residual;
      seen.gradient[j] = problem.is_excluded(j) ? 0.0 : product / units_[j];
    }
    seen.intercept = stop.trial_intercept();
    seen.intercept_gradient = spec_.fit_intercept ? evaluation.sums.residual : 0.0;
    seen.loss = evaluation.sums.loss + problem.constant;
    seen.spread = evaluation.sums.spread;
    const bool is_probe = stop.step == Stop::Step::probe;
    const bool taken = stop.take(std::move(seen), problem);
    stop.closed = settle(stop);
    if (!taken) return;
    if (evaluation.curvature) keep(stop, is_probe, evaluation.curvature);
    if (stop.position <= run.position) {
      run.base = stop.at;
      run.position = stop.position;
    }
  }

  void keep(Stop& stop, bool is_probe, const std::shared_ptr<TallCurvature>& curvature) {
    stop.wants_curvature = false;
    if (is_probe || stop.own) stop.own = curvature;
    if (!is_probe || stop.lambda == infinity) tracks_[stop.problem].insert(curvature);
  }

  // Where old curvatures make for slow progress, new ones. Neighbouring stops share one, in the middle of them, as soon
  // as the steps that it saves cost more than it does: a step is 4 n p multiplications and its share of the round, a
  // curvature in single precision about n p^2 / 2.
  void refresh() {
    Index n_open = 0;
    for (const Run& run : runs_) n_open += std::ranges::count_if(run.open, [](const Stop& s) { return !s.closed; });
    const double step = 1.0 + price_of_round / static_cast<double>(std::max<Index>(n_open, 1));
    const double curvature = 5.0 + static_cast<double>(p()) / 4.0;
    for (Index k = 0; k < spec_.n_problems; ++k) {
      Run& run = runs_[k];
      std::vector<Stop*> slow;
      double saved = 0.0;
      for (Stop& stop : run.open) {
        const double surplus = stop.closed ? 0.0 : stop.steps_ahead(spec_.tol) - 2.0;
        if (surplus <= 0.0) continue;
        slow.push_back(&stop);
        saved += surplus * step;
        if (saved <= curvature) continue;
        Stop& middle = *slow[slow.size() / 2];
        run.owner = k;
        if (!tracks_[k].empty() && tracks_[k].distance(middle.position) == 0.0) run.is_precise = true;
        middle.wants_curvature = true;
        slow.clear();
        saved = 0.0;
      }
    }
  }

  // certified, out of steps, or good enough for a stride
  bool settle(Stop& stop) {
    Problem& problem = problems_[stop.problem];
    if (stop.point == nullptr) {
      const bool is_null = stop.lambda == infinity;
      const double enough = is_null ? 1e-12 * problem.gradient_size(stop.at.loss) : 0.1 * stop.lambda;
      return stop.violation <= enough || stop.n_iter >= (is_null ? 100 : 20) || stop.gave_up;
    }
    load(problem, stop.at);
    const Certificate certificate = problem.certificate(stop.lambda, problem.model());
    Point& point = *stop.point;
    point.dual_gap = problem.relative(certificate.gap);
    point.kkt_violation = certificate.kkt_violation;
    stop.note(point.dual_gap);
    if (problem.is_solved(certificate)) {
      point.status = Status::converged;
    } else if (stop.n_iter >= spec_.max_iter) {
      point.status = Status::max_iter;
    } else if (stop.gave_up) {
      point.status = Status::numerical;
    } else {
      return false;
    }
    point.n_iter = std::max(1, stop.n_iter);
    problem.write(centre_, problem.model(), point);
    ++n_closed_;
    return true;
  }

  void load(Problem& problem, const Iterate& at) const {
    for (Index j = 0; j < p(); ++j) {
      const double ratio = problem.scale[j] / units_[j];
      problem.coef[j] = at.coef[j] * ratio;
      problem.gradient[j] = ratio > 0.0 ? at.gradient[j] / ratio : 0.0;
    }
    problem.intercept = at.intercept;
    problem.intercept_gradient = at.intercept_gradient;
    problem.loss = at.loss;
    problem.spread = at.spread;
  }

  const Specification& spec_;
  std::vector<Problem>& problems_;
  Vector units_;
  RowPass<D, L> pass_;
  Threads& threads_;
  Monitor& monitor_;
  std::vector<CurvatureTrack> tracks_;
  std::vector<TallModel> models_;
  std::vector<Run> runs_;
  std::vector<Planned> planned_;
  double largest_ = 0.0;
  const double* centre_ = nullptr;
  Index n_closed_ = 0;
};

}  // namespace normball
