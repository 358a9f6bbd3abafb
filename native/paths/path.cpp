#include "paths/path.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "paths/path_solver.hpp"
#include "problem/centred_targets.hpp"
#include "problem/duplicates.hpp"

namespace normball {
namespace {

constexpr std::array table = {&by_row_space_of_outputs, &by_windows, &by_moments, &by_blocks, &by_row_space,
                              &by_working_sets};

PathResult ask_table(const Call& call) {
  const auto* const solver =
      std::ranges::find_if(table, [&](const PathSolver* entry) { return entry->can(call) && entry->pays(call); });
  return (*solver)->run(call);
}

// On small data waking a thread takes longer than the path does.
bool threads_pay(const Specification& spec) { return spec.n_rows * spec.n_features * spec.n_problems > 100'000; }

// how far linear predictors lie apart by the features alone, over the rows that count
double spread_of(const Design& design, const double* weights, const Point& point) {
  Vector eta(static_cast<std::size_t>(design.n_rows), 0.0);
  for (std::size_t i = 0; i < point.values.size(); ++i)
    design.add(point.features[i], &point.values[i], nullptr, eta.data());
  double lowest = infinity;
  double highest = -infinity;
  for (Index i = 0; i < design.n_rows; ++i) {
    if (weights[i] == 0.0) continue;
    lowest = std::min(lowest, eta[i]);
    highest = std::max(highest, eta[i]);
  }
  return highest - lowest;
}

// Features without a penalty that separate the response have no optimum: their coefficients grow without end, and rows
// lie ever further apart. Those of features that nearly copy each other may be as large, and rounding keep them from
// being certified, but rows stay together: there is an optimum then, and it was not found.
void doubt_near_copies(const Design& design, const Specification& spec, PathResult& result) {
  if (std::ranges::find(result.null_fits, NullFit::has_no_optimum) == result.null_fits.end()) return;
  constexpr double far_apart = 20.0;
  const auto n_lambdas = std::ssize(result.lambdas);
  const Vector zeros(static_cast<std::size_t>(spec.n_features), 0.0);
  const std::unique_ptr<const Design> as_it_is = design.about(zeros.data());
  for (Index k = 0; k < spec.n_problems && n_lambdas > 0; ++k) {
    if (result.null_fits[k] != NullFit::has_no_optimum) continue;
    Point* const points = result.points.data() + k * n_lambdas * spec.n_outputs;
    double spread = 0.0;
    bool has_features = false;
    for (Index o = 0; o < spec.n_outputs; ++o) {
      has_features = has_features || !points[o].values.empty();
      spread = std::max(spread, spread_of(*as_it_is, spec.weights + k * spec.n_rows, points[o]));
    }
    if (!has_features || spread > far_apart) continue;
    result.null_fits[k] = NullFit::leaves_something;
    for (Index l = 0; l < n_lambdas * spec.n_outputs; ++l) {
      if (points[l].status != Status::converged) continue;
      points[l].status = Status::numerical;
      points[l].dual_gap = infinity;
    }
  }
}

}  // namespace

PathResult solve_path(Design& design, const Specification& asked, Threads& threads, const Monitor::Poll& poll) {
  Specification spec = asked;
  Vector factors;
  if (spec.groups.of_feature.empty()) {  // a copy may belong to another group
    factors = factors_without_duplicates(design, asked, threads);
    spec.penalty_factors = {.data = factors.data(),
                            .stride = std::cmp_equal(factors.size(), spec.n_features) ? 0 : spec.n_features};
  }
  std::optional<CentredTargets> targets;
  if (spec.family->is_location && spec.n_outputs == 1) {
    targets.emplace(spec, !spec.family->is_quadratic);
    targets->put(spec);
  }
  PathResult result = ask_table({.design = design, .spec = spec, .threads = threads, .poll = poll});
  doubt_near_copies(design, spec, result);
  return result;
}

PathResult solve_path(Design& design, const Specification& asked, int n_threads, const Monitor::Poll& poll) {
  Threads threads(threads_pay(asked) ? n_threads : 1);
  return solve_path(design, asked, threads, poll);
}

}  // namespace normball
