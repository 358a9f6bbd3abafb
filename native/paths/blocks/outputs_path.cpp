// Several outputs, and groups of features: along the path by Newton's method on a set of blocks; what holds the others
// at zero then proves a lambda, or names the blocks that were missed.
#include "paths/blocks/outputs_path.hpp"

#include "paths/blocks/block_newton.hpp"
#include "paths/blocks/outside.hpp"
#include "paths/path_solver.hpp"
#include "quadratic/continuation.hpp"

namespace normball {
namespace {

class OutputsPath {
 public:
  OutputsPath(const Specification& spec, std::vector<OnMoments>&& problems, Threads& threads, Monitor& monitor)
      : spec_(spec), threads_(threads), monitor_(monitor) {
    for (auto& [of, rows] : problems) {
      const Design& design = rows->design();
      states_.push_back(std::make_unique<State>(design, std::move(of), std::move(rows), threads_, monitor_));
    }
  }

  OutputsPath(const Call& call, Vector& centre, Monitor& monitor)
      : spec_(call.spec), threads_(call.threads), monitor_(monitor) {
    std::vector<Problem> problems = make_problems(call.design, centre, spec_, true, threads_);
    for (Problem& problem : problems) {
      OutputsProblem of(spec_, std::move(problem));
      states_.push_back(std::make_unique<State>(call.design, std::move(of), nullptr, threads_, monitor_));
    }
  }

  PathResult run(const Vector& centre) {
    PathResult result;
    threads_.parallel_for(spec_.n_problems, [&](Index k) {
      states_[k]->fit_null();
      states_[k]->outside.read(states_[k]->at, -infinity);
    });
    for (const auto& state : states_) {
      take_null(*state);
      const Problem& problem = state->of.problem;
      result.null_loss.push_back(problem.null_loss);
      result.null_fits.push_back(problem.null_fit());
      result.lambda_max.push_back(problem.lambda_max);
      for (const double scale : problem.scaling.scale) result.scales.push_back(scale == 0.0 ? 1.0 : scale);
    }
    result.lambdas = spec_.lambdas.empty() ? lambda_grid(result.lambda_max[0], spec_.n_lambdas, spec_.lambda_min_ratio)
                                           : spec_.lambdas;
    result.points.resize(states_.size() * result.lambdas.size() * static_cast<std::size_t>(spec_.n_outputs));
    solve(result, centre);
    result.interrupted =
        std::ranges::any_of(result.points, [](const Point& point) { return point.status == Status::interrupted; });
    for (const auto& state : states_) {
      const double in_set = static_cast<double>(state->at.entries_read()) / static_cast<double>(spec_.n_features);
      result.n_sweeps += state->rows != nullptr ? 1.0 : in_set + state->outside.reads();
    }
    return result;
  }

 private:
  struct State {
    OutputsProblem of;
    std::unique_ptr<const MomentRows> rows;  // that stand in for those of the design
    FeatureBlocks blocks;
    BlockState at;
    BlockNewton newton;
    Outside outside;
    Certificate certificate;
    int n_steps = 0;  // at this lambda

    State(const Design& design, OutputsProblem&& problem, std::unique_ptr<const MomentRows>&& stand_ins,
          Threads& threads, Monitor& monitor)
        : of(std::move(problem)),
          rows(std::move(stand_ins)),
          blocks(design, of.problem, threads),
          at(design, *of.loss, of.problem, blocks, threads),
          newton(design, *of.loss, at, threads, monitor),
          outside(design, of.problem, blocks, threads) {}

    void fit_null() {
      const Specification& spec = *of.problem.spec;
      for (Index b = 0; b < blocks.size(); ++b) {
        if (blocks.is_free(b)) at.include(b);
      }
      if (spec.fit_intercept) at.start_at(of.null_intercepts);
      newton.solve(0.0, {.gap = -1.0, .violation = 1e-12 * of.problem.gradient_size(at.sums().loss)}, 100);
    }
  };

  // the blocks of the set, and those outside it
  void take_null(State& state) {
    BlockState& at = state.at;
    at.read_gradients();
    normball::take_null(state.of.problem, state.blocks, at.sums(), [&](const auto& visit) {
      for (Index place = 0; place < at.set().size(); ++place) {
        visit(at.set().block(place), at.theta().data() + at.first_value(place),
              at.gradient().data() + at.first_value(place));
      }
      state.outside.for_each_read(-infinity, false, [&](Index b, const Vector& gradient) {
        visit(b, Vector(gradient.size(), 0.0).data(), gradient.data());
      });
    });
  }

  void solve(PathResult& result, const Vector& centre) {
    const auto n_lambdas = static_cast<Index>(result.lambdas.size());
    if (n_lambdas == 0) return;
    is_lone_ = n_lambdas == 1;
    double previous = std::max(states_[0]->of.problem.lambda_max, result.lambdas[0]);
    for (Index l = 0; l < n_lambdas && !monitor_.stopped(); ++l) {
      const double lambda = result.lambdas[l];
      for (const double next : strides(previous, lambda, states_[0]->of.problem.lambda_max)) {
        solve_roughly(next, previous);
        previous = next;
      }
      threads_.parallel_for(spec_.n_problems, [&](Index k) { solve_at(*states_[k], lambda, previous); });
      if (monitor_.stopped()) break;
      for (Index k = 0; k < spec_.n_problems; ++k) {
        write(*states_[k], lambda, centre, result.points.data() + (k * n_lambdas + l) * spec_.n_outputs);
      }
      previous = lambda;
      monitor_.progress(l + 1, n_lambdas);
    }
  }

  // what the strong rule (Tibshirani et al. 2012) asks of a gradient at the solution before
  double strong(double lambda, double previous) const { return spec_.l1_ratio * (2.0 * lambda - previous); }
  void choose(State& state, double lambda, double previous) {
    state.outside.for_each_asking(strong(lambda, previous), [&](Index b) { state.at.include(b); });
  }

  void solve_roughly(double lambda, double previous) {
    threads_.parallel_for(spec_.n_problems, [&](Index k) {
      if (monitor_.stopped()) return;
      State& state = *states_[k];
      choose(state, lambda, previous);
      if (state.of.problem.has_nothing_to_explain()) return;
      state.newton.solve(lambda, {.gap = 0.0, .violation = 1e-2 * state.of.problem.gradient_unit(lambda)}, 20);
      state.outside.read(state.at, strong(lambda, previous));
    });
  }

  void solve_at(State& state, double lambda, double previous) {
    const Problem& problem = state.of.problem;
    choose(state, lambda, previous);
    state.at.go_on(lambda);
    state.n_steps = 0;
    int n_complete = 0;                    // rounds that missed no block
    double share = is_lone_ ? 1e-8 : 0.9;  // of the gap that is allowed: a lone lambda has its digits for little
    // what the certificate looks at, and the next lambda, if it is as far away as the last
    const double least = std::min(spec_.l1_ratio * lambda, strong(lambda * (lambda / previous), lambda));
    while (!monitor_.stopped()) {
      if (!problem.has_nothing_to_explain()) {
        state.n_steps +=
            state.newton.solve(lambda, {.gap = share * spec_.tol * problem.null_loss}, spec_.max_iter - state.n_steps);
      }
      if (monitor_.stopped()) return;
      state.outside.read(state.at, least, true);
      const bool misses = close(state, lambda);
      if (problem.is_solved(state.certificate) || state.n_steps >= spec_.max_iter) return;
      if (!misses && ++n_complete == 3) return;
      share *= 0.3;
    }
  }

  // The certificate on all features; whether blocks were missed, which join the set.
  bool close(State& state, double lambda) {
    const Problem& problem = state.of.problem;
    std::vector<Index> missed;
    state.certificate = certify(state, lambda, false, missed);
    if (problem.is_solved(state.certificate)) return false;
    if (state.at.has_dual()) {
      const Certificate by_dual = certify(state, lambda, true, missed);
      state.certificate.gap = std::min(state.certificate.gap, by_dual.gap);
    }
    if (problem.is_solved(state.certificate)) return false;
    for (const Index b : missed) state.at.include(b);
    return !missed.empty();
  }

  // by the residual, or the dual point of the last model; adds the blocks outside the set that do not rest
  static Certificate certify(State& state, double lambda, bool by_dual, std::vector<Index>& missed) {
    const BlockState& at = state.at;
    CertifiedBlocks all(state.of.problem, at.terms(), lambda);
    if (by_dual) state.at.certify_by_dual(lambda);
    at.add_to(all, by_dual);
    std::vector<Vector> gradients;
    std::vector<Index> found;
    std::size_t most = 0;
    const double least = state.of.problem.penalty.threshold(lambda);
    state.outside.for_each_read(least, by_dual, [&](Index b, const Vector& gradient) {
      if (at.terms().rests(b, lambda, Vector(gradient.size(), 0.0).data(), gradient.data())) return;
      most = std::max(most, gradient.size());
      found.push_back(b);
      gradients.push_back(gradient);
    });
    const Vector zeros(most, 0.0);
    for (std::size_t m = 0; m < found.size(); ++m) all.add(found[m], zeros.data(), gradients[m].data());
    missed.insert(missed.end(), found.begin(), found.end());
    if (!by_dual) return all.certify(at.sums().loss, at.sums().pearson);
    return all.certify(at.sums().loss, at.dual_sums().pearson, at.dual_sums().dual_pearson);
  }

  // visit(feature, coefficient in units of the data) of all outputs
  template <class Visit>
  static void for_each_coef(const State& state, const Visit& visit) {
    const BlockState& at = state.at;
    Vector raw;
    for (Index place = 0; place < at.set().size(); ++place) {
      const Index b = at.set().block(place);
      if (b == SetColumns::intercept) continue;
      const std::span<const Index> features = state.blocks.features(b);
      raw.resize(features.size());
      for (Index k = 0; k < state.blocks.n_outputs(); ++k) {
        state.blocks.to_raw(b, at.theta().data() + at.first_value(place) + k * at.set().width(place), raw.data());
        for (std::size_t m = 0; m < features.size(); ++m) visit(features[m], raw[m]);
      }
    }
  }

  void write(const State& state, double lambda, const Vector& centre, Point* points) {
    const Problem& problem = state.of.problem;
    const BlockState& at = state.at;
    const Vector common = common_part(problem, state.of.loss->traits.is_shift_invariant, lambda,
                                      [&](const auto& visit) { for_each_coef(state, visit); });
    std::vector<std::pair<Index, double>> coefs;
    Vector raw;
    double mean_intercept = 0.0;
    for (Index k = 0; k < spec_.n_outputs; ++k) {
      Point& point = points[k];
      point.intercept = state.of.origins[k] + (problem.spec->fit_intercept ? at.theta()[k] : 0.0);
      coefs.clear();
      for (Index place = 0; place < at.set().size(); ++place) {
        const Index b = at.set().block(place);
        if (b == SetColumns::intercept) continue;
        const double* theta = at.theta().data() + at.first_value(place) + k * at.set().width(place);
        const std::span<const Index> features = state.blocks.features(b);
        raw.resize(features.size());
        state.blocks.to_raw(b, theta, raw.data());
        for (std::size_t m = 0; m < features.size(); ++m) {
          const double value = problem.penalty.clamp(features[m], raw[m]) - common[features[m]];
          if (value != 0.0) coefs.emplace_back(features[m], value);
        }
      }
      std::ranges::sort(coefs);
      for (const auto& [j, value] : coefs) {
        point.features.push_back(static_cast<std::int32_t>(j));
        point.values.push_back(value);
        if (!spec_.fit_intercept) continue;
        point.intercept -= value * (centre[j] + (state.rows == nullptr ? 0.0 : problem.scaling.shift[j]));
      }
      mean_intercept += point.intercept / static_cast<double>(spec_.n_outputs);
      point.loss = at.sums().loss;
      point.dual_gap = problem.relative(state.certificate.gap);
      point.kkt_violation = state.certificate.kkt_violation;
      point.n_iter = state.n_steps;
      point.status = problem.is_solved(state.certificate) ? Status::converged
                     : state.n_steps >= spec_.max_iter    ? Status::max_iter
                                                          : Status::numerical;
    }
    if (!state.of.loss->traits.is_shift_invariant || !spec_.fit_intercept) return;
    for (Index k = 0; k < spec_.n_outputs; ++k) points[k].intercept -= mean_intercept;
  }

  const Specification& spec_;
  Threads& threads_;
  Monitor& monitor_;
  std::vector<std::unique_ptr<State>> states_;
  bool is_lone_ = false;
};

PathResult run(const Call& call) {
  Vector centre;
  Monitor monitor(call.poll);
  OutputsPath solver(call, centre, monitor);
  return solver.run(centre);
}

}  // namespace

PathResult outputs_path(const Specification& spec, std::vector<OnMoments>&& problems, const Vector& centre,
                        Threads& threads, Monitor& monitor) {
  OutputsPath solver(spec, std::move(problems), threads, monitor);
  return solver.run(centre);
}

constexpr PathSolver by_blocks = {.can = [](const Call& call) { return !call.spec.is_separable(); },
                                  .pays = [](const Call&) { return true; },
                                  .run = run};

}  // namespace normball
