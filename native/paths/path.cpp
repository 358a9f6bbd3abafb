#include "paths/path.hpp"

#include <algorithm>
#include <array>
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
  return ask_table({.design = design, .spec = spec, .threads = threads, .poll = poll});
}

PathResult solve_path(Design& design, const Specification& asked, int n_threads, const Monitor::Poll& poll) {
  Threads threads(threads_pay(asked) ? n_threads : 1);
  return solve_path(design, asked, threads, poll);
}

}  // namespace normball
