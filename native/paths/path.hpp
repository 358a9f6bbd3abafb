// The question put to the right solver: all of them offer `fit_null` (every problem without its penalised features,
// gradients included) and `solve` (all lambdas of all problems, in whatever order of work they like).
#pragma once

#include <algorithm>
#include <optional>

#include "losses/loss.hpp"
#include "paths/moments/moment_path.hpp"
#include "paths/row_space.hpp"
#include "paths/windows/window_path.hpp"
#include "paths/working_set/block_path.hpp"
#include "problem/centred_targets.hpp"
#include "problem/duplicates.hpp"

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

// From the null model comes the grid, from the solver everything else.
template <class Solver>
PathResult run_path(Solver& solver, const Specification& spec, std::vector<Problem>& problems, const Vector& centre) {
  PathResult result;
  solver.fit_null();
  for (Problem& problem : problems) {
    problem.take_null(Solver::is_quadratic);
    result.null_loss.push_back(problem.null_loss);
    result.lambda_max.push_back(problem.lambda_max);
    for (const double scale : problem.scale) result.scales.push_back(scale == 0.0 ? 1.0 : scale);
  }
  const double largest = problems[0].lambda_max;
  result.lambdas = spec.lambdas.empty()
                       ? lambda_grid(largest > 0.0 ? largest : 1.0, spec.n_lambdas, spec.lambda_min_ratio)
                       : spec.lambdas;
  result.points.resize(problems.size() * result.lambdas.size());
  if (!result.lambdas.empty()) solver.solve(result, centre.data());
  result.interrupted =
      std::ranges::any_of(result.points, [](const Point& point) { return point.status == Status::interrupted; });
  result.n_sweeps = solver.n_sweeps();
  return result;
}

// Squared error with few columns never needs X after its moments are known.
inline bool moments_pay(const Specification& spec) {
  const Index n = spec.n_rows;
  const Index p = spec.n_features;
  return p <= 256 || (p <= 3000 && 2 * p <= n);
}

// p x p curvatures, a few at a time, must be small against X
inline bool windows_pay(const Specification& spec) { return spec.n_rows >= 10 * spec.n_features; }

template <Design D, Loss L>
PathResult solve_path(D design, const Specification& spec, int n_threads, const Monitor::Poll& poll);

// A problem on the columns of its row space; false if it was interrupted.
template <Design D, Loss L>
bool solve_reduced(const RowSpace<D, L>& space, const Specification& spec, const Problem& problem, Index k,
                   PathResult& result, int n_threads, const Monitor::Poll& poll) {
  const Vector ones(static_cast<std::size_t>(space.rank()), 1.0);
  const Vector lower(ones.size(), -infinity);
  const Vector upper(ones.size(), infinity);
  Specification reduced = spec;
  reduced.n_problems = 1;
  reduced.n_features = space.rank();
  reduced.responses = problem.y;
  reduced.shared_response = true;
  reduced.weights = spec.weights + k * spec.n_rows;
  reduced.penalty_factors = ones.data();
  reduced.lower_bounds = lower.data();
  reduced.upper_bounds = upper.data();
  reduced.lambdas = result.lambdas;
  reduced.standardize = false;
  reduced.tol = 0.1 * spec.tol;  // the certificate that counts is taken in feature space
  const auto n_lambdas = static_cast<Index>(result.lambdas.size());
  PathResult part =
      solve_path<Dense<double, false>, L>(space.design(), reduced, n_threads, [&](Index done, Index total) {
        return poll && poll(k * n_lambdas + done * n_lambdas / std::max<Index>(total, 1), spec.n_problems * n_lambdas);
      });
  result.interrupted = part.interrupted;
  if (!part.interrupted) std::ranges::move(part.points, result.points.data() + k * n_lambdas);
  return !part.interrupted;
}

// Every problem has a row space of its own (its weights centre and scale the columns), so they are solved one by one.
template <Design D, Loss L>
PathResult solve_in_row_space(const D& design, const Specification& spec, std::vector<Problem>& problems,
                              const Vector& centre, int n_threads, Threads& threads, const Monitor::Poll& poll) {
  PathResult result;
  {
    Monitor monitor(poll);
    Specification null = spec;
    null.lambdas.clear();
    null.n_lambdas = 0;
    BlockPath<D, L> solver(design, null, problems, threads, monitor);
    result = run_path(solver, null, problems, centre);
  }
  result.lambdas = spec.lambdas;
  if (result.lambdas.empty()) {
    const double largest = result.lambda_max[0];
    result.lambdas = lambda_grid(largest > 0.0 ? largest : 1.0, spec.n_lambdas, spec.lambda_min_ratio);
  }
  const auto n_lambdas = static_cast<Index>(result.lambdas.size());
  result.points.resize(problems.size() * result.lambdas.size());
  const Index at_once = std::clamp<Index>(spec.n_rows / 8, 4, 50);
  Monitor monitor(poll);
  RowKernel<D> kernel(design);
  for (Index k = 0; k < spec.n_problems && !result.interrupted; ++k) {
    if (kernel.prepare(spec, problems[k])) result.n_sweeps += 1.0;
    RowSpace<D, L> space(design, kernel.centred(spec, problems[k]), spec, problems[k], threads);
    if constexpr (!L::is_quadratic) {
      if (!solve_reduced<D, L>(space, spec, problems[k], k, result, n_threads, poll)) break;
    }
    for (Index begin = 0; begin < n_lambdas && !result.interrupted; begin += at_once) {
      const Index end = std::min(n_lambdas, begin + at_once);
      space.expand(result.points.data() + k * n_lambdas, result.lambdas, begin, end, centre.data());
      result.n_sweeps += 1.0;
      if constexpr (L::is_quadratic) monitor.progress(k * n_lambdas + end, spec.n_problems * n_lambdas);
      result.interrupted = monitor.stopped();
    }
  }
  return result;
}

// On small data waking a thread takes longer than the path does.
inline bool threads_pay(const Specification& spec) { return spec.n_rows * spec.n_features * spec.n_problems > 100'000; }

template <Design D, Loss L>
PathResult solve_path(D design, const Specification& asked, int n_threads, const Monitor::Poll& poll) {
  Threads threads(threads_pay(asked) ? n_threads : 1);
  const Vector factors = Duplicates<D>(design, asked, threads).factors();
  Specification spec = asked;
  spec.penalty_factors = factors.data();
  Monitor monitor(poll);
  Vector centre;
  std::optional<CentredTargets> targets;
  if constexpr (L::is_location) {
    targets.emplace(spec, !L::is_quadratic);
    targets->put(spec);
  }
  if constexpr (L::is_quadratic) {
    if (moments_pay(spec)) {
      std::vector<Problem> problems = blank_problems(spec);
      MomentPath<D> solver(design, centre, spec, problems, threads, monitor);
      return run_path(solver, spec, problems, centre);
    }
  }
  std::vector<Problem> problems = make_problems(design, centre, spec, !L::is_quadratic || !D::is_sparse, threads);
  if (row_space_pays(spec)) return solve_in_row_space<D, L>(design, spec, problems, centre, n_threads, threads, poll);
  if constexpr (!L::is_quadratic && Separable<L> && PacksRows<D>) {
    if (windows_pay(spec)) {
      WindowPath<D, L> solver(design, spec, problems, threads, monitor);
      return run_path(solver, spec, problems, centre);
    }
  }
  BlockPath<D, L> solver(design, spec, problems, threads, monitor);
  return run_path(solver, spec, problems, centre);
}

}  // namespace normball
