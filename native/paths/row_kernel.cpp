#include "paths/row_kernel.hpp"

#include <algorithm>
#include <limits>
#include <memory>

namespace normball {

bool row_space_pays(const Specification& spec) {
  if (spec.l1_ratio != 0.0 || spec.n_rows > 1500 || spec.n_features <= std::max<Index>(256, spec.n_rows)) return false;
  for (Index k = 0; k < spec.n_problems; ++k) {
    const Penalty penalty = spec.penalty_of(k);
    for (Index j = 0; j < spec.n_features; ++j) {
      if (penalty.is_free(j) || penalty.is_bounded(j)) return false;
    }
  }
  return true;
}

bool solve_on_basis(const RowBasis& basis, const Specification& spec, const PerProblem& responses,
                    const PerProblem& offsets, Index k, double tol, PathResult& result, Threads& threads,
                    const Monitor::Poll& poll) {
  const Vector ones(basis.values.size(), 1.0);
  const Vector lower(ones.size(), -infinity);
  const Vector upper(ones.size(), infinity);
  Specification reduced = spec;
  reduced.n_problems = 1;
  reduced.n_features = basis.rank();
  reduced.responses = responses;
  reduced.offsets = offsets;
  reduced.weights = spec.weights + k * spec.n_rows;
  reduced.penalty_factors = {.data = ones.data()};
  reduced.lower_bounds = {.data = lower.data()};
  reduced.upper_bounds = {.data = upper.data()};
  reduced.lambdas = result.lambdas;
  reduced.standardize = false;
  reduced.tol = tol;
  const auto n_lambdas = static_cast<Index>(result.lambdas.size());
  const Monitor::Poll own = [&](Index done, Index total) {
    return poll && poll(k * n_lambdas + done * n_lambdas / std::max<Index>(total, 1), spec.n_problems * n_lambdas);
  };
  const std::unique_ptr<Design> design = dense_design(basis.columns.data(), spec.n_rows, basis.rank(), false);
  PathResult part = solve_path(*design, reduced, threads, own);
  if (!part.interrupted) std::ranges::move(part.points, result.points.begin() + k * std::ssize(part.points));
  result.interrupted = part.interrupted;
  return !part.interrupted;
}

}  // namespace normball
