// Several outputs, and groups of features: all problems go along the path together, each by Newton's method on a set of
// blocks; one read of the design then proves a lambda for all of them, or names the blocks that were missed.
#include <numeric>

#include "paths/blocks/block_newton.hpp"
#include "paths/blocks/moment_rows.hpp"
#include "paths/path_solver.hpp"
#include "quadratic/continuation.hpp"

namespace normball {
namespace {

class OutputsPath {
 public:
  OutputsPath(const Call& call, Vector& centre, Monitor& monitor)
      : design_(call.design), spec_(call.spec), threads_(call.threads), monitor_(monitor) {
    std::vector<Problem> problems = make_problems(call.design, centre, spec_, false, threads_);
    const bool by_moments = MomentRows::pays(design_, spec_);
    for (Problem& problem : problems) {
      states_.push_back(std::make_unique<State>(design_, spec_, std::move(problem), by_moments, threads_, monitor_));
    }
  }

  PathResult run(const Vector& centre) {
    PathResult result;
    threads_.parallel_for(spec_.n_problems, [&](Index k) { states_[k]->fit_null(); });
    std::vector<Index> all(states_.size());
    std::iota(all.begin(), all.end(), 0);
    read_for(all);
    for (const auto& state : states_) {
      take_null(*state);
      const Problem& problem = state->of.problem;
      result.null_loss.push_back(problem.null_loss);
      result.lambda_max.push_back(problem.lambda_max);
      for (const double scale : problem.scaling.scale) result.scales.push_back(scale == 0.0 ? 1.0 : scale);
    }
    result.lambdas = spec_.lambdas.empty() ? lambda_grid(result.lambda_max[0], spec_.n_lambdas, spec_.lambda_min_ratio)
                                           : spec_.lambdas;
    result.points.resize(states_.size() * result.lambdas.size() * static_cast<std::size_t>(spec_.n_outputs));
    solve(result, centre);
    result.interrupted =
        std::ranges::any_of(result.points, [](const Point& point) { return point.status == Status::interrupted; });
    result.n_sweeps = n_reads_;
    for (const auto& state : states_) {
      result.n_sweeps += state->rows != nullptr
                             ? 1.0
                             : static_cast<double>(state->at.entries_read()) / static_cast<double>(spec_.n_features);
    }
    return result;
  }

 private:
  struct State {
    const Design& design;
    OutputsProblem of;
    std::unique_ptr<const MomentRows> rows;  // that stand in for those of the design
    FeatureBlocks blocks;
    BlockState at;
    BlockNewton newton;
    Vector gradient;  // products of all features with each output's residual, as last read, as the next one
    Vector dual_gradient;
    Certificate certificate;
    int n_steps = 0;   // at this lambda, as the next one
    int n_rounds = 0;  // that missed no block

    State(const Design& design, const Specification& spec, Problem&& problem, bool by_moments, Threads& threads,
          Monitor& monitor)
        : design(design),
          of(spec, std::move(problem)),
          rows(by_moments ? std::make_unique<const MomentRows>(design, of, threads) : nullptr),
          blocks(seen(), of.problem, threads),
          at(seen(), *of.loss, of.problem, blocks, threads),
          newton(seen(), *of.loss, at, threads, monitor),
          gradient(static_cast<std::size_t>(spec.n_features * spec.n_outputs)) {}

    const Design& seen() const { return rows == nullptr ? design : rows->design(); }

    void fit_null() {
      const Specification& spec = *of.problem.spec;
      for (Index b = 0; b < blocks.size(); ++b) {
        if (blocks.is_free(b)) at.include(b);
      }
      if (spec.fit_intercept) at.start_at(of.null_intercepts);
      newton.solve(0.0, {.gap = -1.0, .violation = 1e-12 * of.problem.gradient_size(at.sums().loss)}, 100);
    }

    bool holds_all() const {
      for (Index b = 0; b < blocks.size(); ++b) {
        if (!at.holds(b)) return false;
      }
      return true;
    }
  };

  // One read of the design for several problems, or of each one's own rows: the gradients of their residuals and of
  // their dual points.
  void read_for(const std::vector<Index>& which, bool with_duals = false) {
    std::vector<const double*> vectors;
    std::vector<double*> out;
    const auto take = [&](const std::vector<const double*>& outputs, Vector& products) {
      products.resize(static_cast<std::size_t>(spec_.n_features * spec_.n_outputs));
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        vectors.push_back(outputs[k]);
        out.push_back(products.data() + static_cast<Index>(k) * spec_.n_features);
      }
    };
    for (std::size_t i = 0; i < which.size(); ++i) {
      State& state = *states_[which[i]];
      take(state.at.residuals(), state.gradient);
      if (with_duals && state.at.has_dual()) take(state.at.duals(), state.dual_gradient);
      if (state.rows == nullptr && i + 1 < which.size()) continue;
      state.seen().sweep({.columns = {.list = nullptr, .count = spec_.n_features},
                          .n_vectors = std::ssize(vectors),
                          .vectors = vectors.data(),
                          .out = out.data()},
                         threads_);
      n_reads_ += state.rows == nullptr ? 1.0 : 0.0;
      vectors.clear();
      out.clear();
    }
  }

  // as Problem::take_null, of blocks
  void take_null(State& state) {
    Problem& problem = state.of.problem;
    const RowSums& sums = state.at.sums();
    problem.null_loss = sums.loss;
    if (!spec_.family->is_location) {
      problem.negligible_loss = std::max(problem.negligible_loss, 10.0 * problem.noise(sums.loss));
    }
    Vector gradient;
    for (Index b = 0; b < state.blocks.size(); ++b) {
      state.blocks.set_gradient(b, state.gradient, gradient);
      for (const double value : gradient) problem.null_gradient = std::max(problem.null_gradient, std::abs(value));
      problem.largest_gradient = std::max(problem.largest_gradient, state.blocks.strength_asked(b, gradient.data()));
    }
    problem.lambda_max = problem.largest_gradient / std::max(problem.penalty.l1_ratio(), 1e-3);
    if (spec_.family->is_location && !problem.penalty.selects() && problem.largest_gradient > 0.0) {
      problem.lambda_max /= std::sqrt(spec_.family->is_quadratic ? 2.0 * sums.loss : sums.squares);
    }
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
      solve_at(lambda, previous);
      if (monitor_.stopped()) break;
      for (Index k = 0; k < spec_.n_problems; ++k) {
        write(*states_[k], lambda, centre, result.points.data() + (k * n_lambdas + l) * spec_.n_outputs);
      }
      previous = lambda;
      monitor_.progress(l + 1, n_lambdas);
    }
  }

  // the strong rule (Tibshirani et al. 2012)
  void choose(State& state, double lambda, double previous) {
    state.blocks.for_each_reaching(state.gradient, 2.0 * lambda - previous, [&](Index b) { state.at.include(b); });
  }

  void solve_roughly(double lambda, double previous) {
    if (monitor_.stopped()) return;
    std::vector<Index> all(states_.size());
    std::iota(all.begin(), all.end(), 0);
    threads_.parallel_for(spec_.n_problems, [&](Index k) {
      State& state = *states_[k];
      choose(state, lambda, previous);
      state.newton.solve(lambda, {.gap = 0.0, .violation = 1e-2 * state.of.problem.gradient_unit(lambda)}, 20);
    });
    read_for(all);
  }

  void solve_at(double lambda, double previous) {
    std::vector<Index> open(states_.size());
    std::iota(open.begin(), open.end(), 0);
    threads_.parallel_for(spec_.n_problems, [&](Index k) {
      choose(*states_[k], lambda, previous);
      states_[k]->at.go_on(lambda);
    });
    for (const auto& state : states_) state->n_steps = state->n_rounds = 0;
    double share = is_lone_ ? 1e-8 : 0.9;  // of the gap that is allowed: a lone lambda has its digits for little
    while (!open.empty() && !monitor_.stopped()) {
      threads_.parallel_for(std::ssize(open), [&](Index i) {
        State& state = *states_[open[i]];
        const Problem& problem = state.of.problem;
        state.n_steps +=
            state.newton.solve(lambda, {.gap = share * spec_.tol * problem.null_loss}, spec_.max_iter - state.n_steps);
      });
      if (monitor_.stopped()) return;
      const bool all_held = std::ranges::all_of(open, [&](Index k) { return states_[k]->holds_all(); });
      if (!all_held) read_for(open, true);
      std::vector<std::uint8_t> closed(open.size());
      threads_.parallel_for(std::ssize(open), [&](Index i) {
        State& state = *states_[open[i]];
        const bool misses = close(state, lambda);
        closed[i] = state.of.problem.is_solved(state.certificate) || (!misses && ++state.n_rounds == 3) ||
                    state.n_steps >= spec_.max_iter;
      });
      Index i = 0;
      std::erase_if(open, [&](Index) { return closed[i++] != 0; });
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
    const Vector& products = by_dual ? state.dual_gradient : state.gradient;
    if (!state.holds_all()) {
      state.blocks.for_each_reaching(products, lambda, [&](Index b) {
        if (at.holds(b)) return;
        Vector gradient;
        state.blocks.set_gradient(b, products, gradient);
        if (at.terms().rests(b, lambda, Vector(gradient.size(), 0.0).data(), gradient.data())) return;
        most = std::max(most, gradient.size());
        found.push_back(b);
        gradients.push_back(std::move(gradient));
      });
    }
    const Vector zeros(most, 0.0);
    for (std::size_t m = 0; m < found.size(); ++m) all.add(found[m], zeros.data(), gradients[m].data());
    missed.insert(missed.end(), found.begin(), found.end());
    if (!by_dual) return all.certify(at.sums().loss, at.sums().pearson);
    return all.certify(at.sums().loss, at.dual_sums().pearson, at.dual_sums().dual_pearson);
  }

  // Without a penalty nothing but the way there decides what all outputs of a feature have in common: it is taken out.
  Vector common_part(const State& state, double lambda) const {
    Vector common(static_cast<std::size_t>(spec_.n_features), 0.0);
    const BlockState& at = state.at;
    Vector raw;
    for (Index place = 0; place < at.set().size(); ++place) {
      const Index b = at.set().block(place);
      if (lambda > 0.0 || !state.of.loss->traits.is_shift_invariant || b == SetColumns::intercept) continue;
      const std::span<const Index> features = state.blocks.features(b);
      raw.resize(features.size());
      for (Index k = 0; k < spec_.n_outputs; ++k) {
        state.blocks.to_raw(b, at.theta().data() + at.first_value(place) + k * at.set().width(place), raw.data());
        for (std::size_t m = 0; m < features.size(); ++m) {
          const Index j = features[m];
          if (!state.of.problem.penalty.is_bounded(j)) common[j] += raw[m] / static_cast<double>(spec_.n_outputs);
        }
      }
    }
    return common;
  }

  void write(const State& state, double lambda, const Vector& centre, Point* points) {
    const Problem& problem = state.of.problem;
    const BlockState& at = state.at;
    const Vector common = common_part(state, lambda);
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
        if (std::all_of(theta, theta + at.set().width(place), [](double value) { return value == 0.0; })) continue;
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

  const Design& design_;
  const Specification& spec_;
  Threads& threads_;
  Monitor& monitor_;
  std::vector<std::unique_ptr<State>> states_;
  double n_reads_ = 0.0;
  bool is_lone_ = false;
};

PathResult run(const Call& call) {
  Vector centre;
  Monitor monitor(call.poll);
  OutputsPath solver(call, centre, monitor);
  return solver.run(centre);
}

}  // namespace

constexpr PathSolver by_blocks = {.can = [](const Call& call) { return !call.spec.is_separable(); },
                                  .pays = [](const Call&) { return true; },
                                  .run = run};

}  // namespace normball
