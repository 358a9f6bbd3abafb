// What all path solvers have in common. Each is an entry of a table, which says for which losses and designs it `can`
// be used and whether that `pays`. Inside it is a class with `fit_null` (every problem without its penalised features,
// gradients included; then `at`, or `take_null` where values are not those of columns) and `solve` (all lambdas of all
// problems, in whatever order of work it likes).
#pragma once

#include <algorithm>
#include <cmath>

#include "core/threads.hpp"
#include "problem/null_model.hpp"

namespace normball {

// The grid: log-spaced, descending, ends exact. (M10)
inline Vector lambda_grid(double largest, Index count, double ratio) {
  Vector grid(static_cast<std::size_t>(count));
  for (Index l = 0; l < count; ++l) {
    const double share = count == 1 ? 0.0 : static_cast<double>(l) / static_cast<double>(count - 1);
    grid[l] = (largest > 0.0 ? largest : 1.0) * std::pow(ratio, share);
  }
  return grid;
}

// The null models, and the grid that follows from the first one.
template <class Solver>
PathResult null_result(Solver& solver, const Specification& spec, std::vector<Problem>& problems) {
  PathResult result;
  solver.fit_null();
  for (std::size_t k = 0; k < problems.size(); ++k) {
    if constexpr (requires { solver.take_null(Index{}); }) {
      solver.take_null(static_cast<Index>(k));
    } else {
      problems[k].take_null(solver.at(static_cast<Index>(k)), spec.family->is_location);
    }
    result.null_loss.push_back(problems[k].null_loss);
    result.null_fits.push_back(problems[k].null_fit());
    result.lambda_max.push_back(problems[k].lambda_max);
    result.null_intercepts.push_back(problems[k].null_intercept + problems[k].origin);
    for (const double scale : problems[k].scaling.scale) result.scales.push_back(scale == 0.0 ? 1.0 : scale);
  }
  result.lambdas =
      spec.lambdas.empty() ? lambda_grid(result.lambda_max[0], spec.n_lambdas, spec.lambda_min_ratio) : spec.lambdas;
  result.points.resize(problems.size() * result.lambdas.size() * static_cast<std::size_t>(spec.n_outputs));
  result.n_sweeps = solver.n_sweeps();
  return result;
}

template <class Solver>
PathResult run_path(Solver& solver, const Specification& spec, std::vector<Problem>& problems, const Vector& centre) {
  PathResult result = null_result(solver, spec, problems);
  if (!result.lambdas.empty()) solver.solve(result, centre.data());
  result.interrupted =
      std::ranges::any_of(result.points, [](const Point& point) { return point.status == Status::interrupted; });
  result.n_sweeps = solver.n_sweeps();
  return result;
}

// One call: the question, and what its answer may use.
struct Call {
  Design& design;
  const Specification& spec;
  Threads& threads;
  const Monitor::Poll& poll;
};

struct PathSolver {
  bool (*can)(const Call& call);
  bool (*pays)(const Call& call);
  PathResult (*run)(const Call& call);
};

// The table, in the order in which they are asked; the last one always can.
extern const PathSolver by_row_space_of_outputs;
extern const PathSolver by_windows;
extern const PathSolver by_moments;
extern const PathSolver by_blocks;
extern const PathSolver by_row_space;
extern const PathSolver by_working_sets;

// The problems of the batch with their rows and losses, the intercepts alone fitted; sets `centre`.
inline std::pair<std::vector<Problem>, Losses> problems_on_rows(const Call& call, Vector& centre) {
  const Specification& spec = call.spec;
  const bool wants_norms = !spec.family->is_quadratic || !call.design.is_sparse();
  std::vector<Problem> problems = make_problems(call.design, centre, spec, wants_norms, call.threads);
  Losses losses;
  for (const Problem& problem : problems) {
    losses.push_back(spec.family->loss(spec.family_parameter, problem.y, problem.weights.data(), spec.n_rows));
  }
  call.threads.parallel_for(spec.n_problems, [&](Index k) { NullModel::fit(*losses[k], problems[k]); });
  return {std::move(problems), std::move(losses)};
}

// The null models by working sets, for a path solver that has no way of its own to them.
PathResult null_models_on_sets(const Call& call, const Losses& losses, std::vector<Problem>& problems,
                               Monitor& monitor);

template <class Solver, class D>
PathResult run_on_rows(const Call& call, const D& design) {
  Vector centre;
  Monitor monitor(call.poll);
  auto [problems, losses] = problems_on_rows(call, centre);
  Solver solver(design, call.spec, losses, problems, call.threads, monitor);
  return run_path(solver, call.spec, problems, centre);
}

}  // namespace normball
