// The driver: K problems go down one grid of lambdas in lockstep. Each round solves every open problem on its own
// working set (in parallel), then one read of the design serves all their certificates.
#pragma once

#include <algorithm>
#include <numeric>

#include "losses/loss.hpp"
#include "solvers/moments.hpp"
#include "solvers/proximal_newton.hpp"
#include "solvers/row_space.hpp"
#include "solvers/tall_newton.hpp"

namespace normball {

// The grid: log-spaced, descending, ends exact. (M10)
inline Vector lambda_grid(double largest, Index count, double ratio) {
  Vector grid(static_cast<std::size_t>(count));
  for (Index l = 0; l < count; ++l) {
    const double share = count == 1 ? 0.0 : static_cast<double>(l) / static_cast<double>(count - 1);
    grid[l] = largest * std::pow(ratio, share);
  }
  return grid;
}

template <class Solver>
class PathDriver {
 public:
  // a solver that takes many lambdas at once keeps its own order of work
  static constexpr bool solves_blocks = requires(Solver& solver) { solver.fit_null(); };

  PathDriver(Solver& solver, const Specification& spec, std::vector<Problem>& problems, const Vector& centre,
             Threads& threads, Monitor& monitor)
      : solver_(solver),
        spec_(spec),
        problems_(problems),
        centre_(centre),
        threads_(threads),
        monitor_(monitor),
        factor_(problems.size(), 1.0) {}

  PathResult run() {
    std::vector<Index> all(problems_.size());
    std::iota(all.begin(), all.end(), 0);
    if constexpr (solves_blocks) {
      solver_.fit_null();
    } else {
      threads_.parallel_for(spec_.n_problems, [&](Index k) { solver_.fit_null(k); });
      solver_.sweep(all);
    }
    for (Problem& problem : problems_) {
      problem.null_loss = problem.loss;
      problem.set_lambda_max(Solver::is_quadratic);
      result_.null_loss.push_back(problem.null_loss);
      result_.lambda_max.push_back(problem.lambda_max);
      for (const double scale : problem.scale) result_.scales.push_back(scale == 0.0 ? 1.0 : scale);
    }
    const double largest = problems_[0].lambda_max;
    result_.lambdas = spec_.lambdas.empty()
                          ? lambda_grid(largest > 0.0 ? largest : 1.0, spec_.n_lambdas, spec_.lambda_min_ratio)
                          : spec_.lambdas;
    const auto n_lambdas = static_cast<Index>(result_.lambdas.size());
    result_.n_sweeps = solver_.n_sweeps();
    if (n_lambdas == 0) return std::move(result_);
    result_.points.resize(problems_.size() * result_.lambdas.size());
    if constexpr (solves_blocks) {
      solver_.solve_block(result_, 0, n_lambdas, centre_);
    } else {
      double previous = std::max(largest, result_.lambdas[0]);
      for (Index l = 0; l < n_lambdas; ++l) {
        const double lambda = result_.lambdas[l];
        previous = approach(all, previous, lambda);
        solve_at(l, lambda, previous);
        previous = lambda;
        if (monitor_.stopped()) break;
        monitor_.progress(l + 1, n_lambdas);
      }
    }
    result_.interrupted =
        std::ranges::any_of(result_.points, [](const Point& point) { return point.status == Status::interrupted; });
    result_.n_sweeps = solver_.n_sweeps();
    return std::move(result_);
  }

 private:
  // Far below the last solution the quadratic model and the strong rule are of no use: go there in strides.
  double approach(const std::vector<Index>& all, double previous, double lambda) {
    constexpr double stride = 0.25;
    const double goal = std::max(lambda, 1e-4 * problems_[0].lambda_max);
    while (previous * stride > goal && !monitor_.stopped()) {
      const double next = previous * stride;
      threads_.parallel_for(spec_.n_problems, [&](Index k) {
        solver_.begin(k, next, previous);
        solver_.solve(k, next, 1e-2 * unit(k, next), 20);
      });
      solver_.sweep(all);
      previous = next;
    }
    return previous;
  }

  // the size of gradient that matters at this lambda
  double unit(Index k, double lambda) const {
    const double largest = problems_[k].largest_gradient;
    if (largest == 0.0) return 1.0;
    const double threshold = lambda * spec_.l1_ratio;
    return threshold > 0.0 ? std::min(threshold, largest) : 1e-3 * largest;
  }

  void solve_at(Index l, double lambda, double previous) {
    std::vector<Index> open(problems_.size());
    std::iota(open.begin(), open.end(), 0);
    for (double& factor : factor_)
      factor = std::min(Solver::first_factor, factor / tightening);  // one looser than last
    threads_.parallel_for(spec_.n_problems, [&](Index k) { solver_.begin(k, lambda, previous); });
    while (!open.empty()) {
      threads_.parallel_for(static_cast<Index>(open.size()), [&](Index i) {
        const Index k = open[i];
        Point& point = at(k, l);
        const int allowed = std::max(1, spec_.max_iter - point.n_iter);
        point.n_iter += std::max(1, solver_.solve(k, lambda, factor_[k] * unit(k, lambda), allowed));
      });
      solver_.sweep(open);
      if (monitor_.stopped()) return;
      std::vector<std::uint8_t> closed(open.size());
      threads_.parallel_for(static_cast<Index>(open.size()),
                            [&](Index i) { closed[i] = settle(open[i], lambda, at(open[i], l)); });
      Index i = 0;
      std::erase_if(open, [&](Index) { return closed[i++] != 0; });
    }
    for (Problem& problem : problems_) problem.write(centre_.data(), at(&problem - problems_.data(), l));
  }

  // certified, out of iterations, or on to another round
  bool settle(Index k, double lambda, Point& point) {
    const Certificate certificate = solver_.certify(k, lambda);
    point.dual_gap = problems_[k].relative(certificate.gap);
    point.kkt_violation = certificate.kkt_violation;
    if (point.dual_gap <= spec_.tol) {
      point.status = Status::converged;
      return true;
    }
    if (point.n_iter >= spec_.max_iter) {
      point.status = Status::max_iter;
      return true;
    }
    if (solver_.grow(k, lambda)) return false;
    factor_[k] *= tightening;
    if (factor_[k] < smallest_factor || std::isnan(problems_[k].loss)) {
      point.status = Status::numerical;
      return true;
    }
    return false;
  }

  Point& at(Index k, Index l) { return result_.points[static_cast<std::size_t>(k) * result_.lambdas.size() + l]; }

  static constexpr double smallest_factor = 1e-13;
  static constexpr double tightening = 0.05;

  Solver& solver_;
  const Specification& spec_;
  std::vector<Problem>& problems_;
  const Vector& centre_;
  Threads& threads_;
  Monitor& monitor_;
  Vector factor_;  // KKT tolerance on the working set, relative to unit()
  PathResult result_;
};

// Squared error with few columns never needs X after its moments are known.
inline bool moments_pay(const Specification& spec) {
  const Index n = spec.n_rows;
  const Index p = spec.n_features;
  return p <= 256 || (p <= 3000 && 2 * p <= n);
}

// p x p curvatures, a few at a time, must be small against X
inline bool tall_newton_pays(const Specification& spec) { return spec.n_rows >= 10 * spec.n_features; }

template <Design D, Loss L>
PathResult solve_path(D design, const Specification& spec, int n_threads, const Monitor::Poll& poll);

// Every problem has a row space of its own (its weights standardise the columns), so they are solved one by one.
template <Design D, Loss L>
PathResult solve_in_row_space(const D& design, const Specification& spec, std::vector<Problem>& problems,
                              const Vector& centre, int n_threads, Threads& threads, const Monitor::Poll& poll) {
  PathResult result;
  {
    Monitor monitor(poll);
    Specification null = spec;
    null.lambdas.clear();
    null.n_lambdas = 0;
    ProximalNewton<D, L> solver(design, null, problems, threads, monitor);
    result = PathDriver<ProximalNewton<D, L>>(solver, null, problems, centre, threads, monitor).run();
  }
  result.lambdas = spec.lambdas;
  if (result.lambdas.empty()) {
    const double largest = result.lambda_max[0];
    result.lambdas = lambda_grid(largest > 0.0 ? largest : 1.0, spec.n_lambdas, spec.lambda_min_ratio);
  }
  const auto n_lambdas = static_cast<Index>(result.lambdas.size());
  result.points.resize(problems.size() * result.lambdas.size());
  for (Index k = 0; k < spec.n_problems && !result.interrupted; ++k) {
    RowSpace<D, L> space(design, spec, problems[k], threads);
    const Vector ones(static_cast<std::size_t>(space.rank()), 1.0);
    const Vector lower(ones.size(), -infinity);
    const Vector upper(ones.size(), infinity);
    Specification reduced = spec;
    reduced.n_problems = 1;
    reduced.n_features = space.rank();
    reduced.responses = problems[k].y;
    reduced.shared_response = true;
    reduced.weights = spec.weights + k * spec.n_rows;
    reduced.penalty_factors = ones.data();
    reduced.lower_bounds = lower.data();
    reduced.upper_bounds = upper.data();
    reduced.lambdas = result.lambdas;
    reduced.standardize = false;
    reduced.tol = 0.1 * spec.tol;  // the certificate that counts is taken in feature space
    const Index before = k * n_lambdas;
    PathResult part =
        solve_path<Dense<double, false>, L>(space.design(), reduced, n_threads, [&](Index done, Index total) {
          return poll && poll(before + done * n_lambdas / std::max<Index>(total, 1), spec.n_problems * n_lambdas);
        });
    result.interrupted = part.interrupted;
    if (part.interrupted) break;
    Point* points = result.points.data() + before;
    std::ranges::move(part.points, points);
    constexpr Index at_once = 16;
    for (Index begin = 0; begin < n_lambdas; begin += at_once) {
      space.expand(points, result.lambdas, begin, std::min(n_lambdas, begin + at_once), centre.data());
      result.n_sweeps += 1.0;
    }
    result.n_sweeps += 1.0;  // the kernel
  }
  return result;
}

template <Design D, Loss L>
PathResult solve_path(D design, const Specification& spec, int n_threads, const Monitor::Poll& poll) {
  Threads threads(n_threads);
  Monitor monitor(poll);
  Vector centre;
  std::vector<Problem> problems = make_problems(design, centre, spec, threads);
  const auto run = [&]<class Solver>() {
    Solver solver(design, spec, problems, threads, monitor);
    return PathDriver<Solver>(solver, spec, problems, centre, threads, monitor).run();
  };
  if (row_space_pays(spec)) return solve_in_row_space<D, L>(design, spec, problems, centre, n_threads, threads, poll);
  if constexpr (L::quadratic) {
    if (moments_pay(spec)) return run.template operator()<Moments<D>>();
  }
  if constexpr (!L::quadratic && PacksRows<D>) {
    if (tall_newton_pays(spec)) return run.template operator()<TallNewton<D, L>>();
  }
  return run.template operator()<ProximalNewton<D, L>>();
}

}  // namespace normball
