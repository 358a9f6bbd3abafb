// The question put to the first path solver on the table that can answer it and pays.
#pragma once

#include <optional>
#include <utility>

#include "paths/moments/moment_path.hpp"
#include "paths/path_solver.hpp"
#include "paths/row_space_path.hpp"
#include "paths/windows/window_path.hpp"
#include "paths/working_set/block_path.hpp"
#include "problem/centred_targets.hpp"
#include "problem/duplicates.hpp"

namespace normball {

// What each entry of the table needs, and how it is called.
template <Design D, Loss L>
struct ByMoments {
  static constexpr bool can = L::is_quadratic;
  static bool pays(const Specification& spec) { return MomentPath<D>::pays(spec); }
  static PathResult run(Call<D> call) {
    Vector centre;
    Monitor monitor(call.poll);
    std::vector<Problem> problems = blank_problems(call.spec);
    MomentPath<D> solver(call.design, centre, call.spec, problems, call.threads, monitor);
    return run_path(solver, call.spec, problems, centre);
  }
};

template <Design D, Loss L>
struct ByRowSpace {
  static constexpr bool can = true;
  static bool pays(const Specification& spec) { return row_space_pays(spec); }
  static PathResult run(Call<D> call) { return solve_in_row_space<D, L>(call); }
};

template <Design D, Loss L>
struct ByWindows {
  // where f'' jumps it cannot be blended between lambdas
  static constexpr bool can = !L::is_quadratic && !L::is_piecewise && Separable<L> && PacksRows<D>;
  static bool pays(const Specification& spec) { return WindowPath<D, L>::pays(spec); }
  static PathResult run(Call<D> call) { return run_on_rows<WindowPath, L>(call); }
};

template <Design D, Loss L>
struct ByWorkingSets {
  static constexpr bool can = true;
  static bool pays(const Specification& /*spec*/) { return true; }
  static PathResult run(Call<D> call) { return run_on_rows<BlockPath, L>(call); }
};

template <template <class, class> class... Entries>
struct Table {
  template <Design D, Loss L>
  static PathResult solve(const Call<D>& call) {
    PathResult result;
    (try_entry<Entries<D, L>>(call, result) || ...);
    return result;
  }

 private:
  template <class Entry, class D>
  static bool try_entry(const Call<D>& call, PathResult& result) {
    if constexpr (Entry::can) {
      if (!Entry::pays(call.spec)) return false;
      result = Entry::run(call);
      return true;
    }
    return false;
  }
};

using PathSolvers = Table<ByMoments, ByRowSpace, ByWindows, ByWorkingSets>;

// On small data waking a thread takes longer than the path does.
inline bool threads_pay(const Specification& spec) { return spec.n_rows * spec.n_features * spec.n_problems > 100'000; }

template <Design D, Loss L>
PathResult solve_path(D design, const Specification& asked, Threads& threads, const Monitor::Poll& poll) {
  Specification spec = asked;
  const Vector factors = Duplicates<D>(design, asked, threads).factors();
  spec.penalty_factors = {.data = factors.data(),
                          .stride = std::cmp_equal(factors.size(), spec.n_features) ? 0 : spec.n_features};
  std::optional<CentredTargets> targets;
  if constexpr (L::is_location) {
    targets.emplace(spec, !L::is_quadratic);
    targets->put(spec);
  }
  return PathSolvers::solve<D, L>({.design = design, .spec = spec, .threads = threads, .poll = poll});
}

template <Design D, Loss L>
PathResult solve_path(D design, const Specification& asked, int n_threads, const Monitor::Poll& poll) {
  Threads threads(threads_pay(asked) ? n_threads : 1);
  return solve_path<D, L>(design, asked, threads, poll);
}

}  // namespace normball
