// Who joins the working set of a block of lambdas: the features whose gradient, drawn out along its last change, comes
// nearest to its threshold at the end of the block, a few more than will reach it. Without a last change the strong
// rule names them (Tibshirani et al. 2012).
#pragma once

#include <algorithm>

#include "kernels/kernels.hpp"
#include "paths/working_set/working_set.hpp"

namespace normball {

// What is expected at the end of a block: the gradient plus `slope` times its change since `earlier`, at `lambda`.
struct Outlook {
  const Vector& earlier;
  double slope;
  double lambda;
};

// How far below the threshold one may be to be looked at, and how many are taken over those expected to reach it.
struct Margin {
  double threshold = 0.9;
  double surplus = 0.25;
};

// a 1 for each of them
inline std::vector<std::uint8_t> choose(const Problem& problem, const WorkingSet& set, const Outlook& outlook,
                                        const Margin& margin) {
  const Vector& coef = set.at().coef;
  const Vector& gradient = set.at().gradient;
  const bool keeps_all = !problem.penalty.selects();
  std::vector<std::uint8_t> flags(coef.size(), 1);
  if (!keeps_all) {
    kernels::find_reaching({.count = std::ssize(coef),
                            .now = gradient.data(),
                            .earlier = outlook.earlier.data(),
                            .slope = outlook.slope,
                            .threshold = margin.threshold * problem.penalty.threshold(outlook.lambda),
                            .factors = problem.penalty.factors()},
                           flags.data());
  }
  std::vector<std::pair<double, Index>> found;
  Index n_reaching = 0;
  kernels::for_each_flag(flags, [&](Index j) {
    if (problem.is_excluded(j) || coef[j] != 0.0 || problem.penalty.is_free(j)) return;
    const double drawn_out = gradient[j] + outlook.slope * (gradient[j] - outlook.earlier[j]);
    const double excess = problem.term(j, margin.threshold * outlook.lambda).violation(drawn_out, 0.0);
    if (excess == 0.0 && !keeps_all) return;
    n_reaching += problem.term(j, outlook.lambda).violation(drawn_out, 0.0) > 0.0 ? 1 : 0;
    found.emplace_back(excess, j);
  });
  const Index n_active = std::ranges::count_if(set.features(), [&](Index j) { return coef[j] != 0.0; });
  const auto more = static_cast<Index>(margin.surplus * static_cast<double>(n_reaching));
  const auto wanted = static_cast<std::size_t>(std::min(n_reaching + more + 50, 3 * n_active + 100));
  if (found.size() > wanted && !keeps_all) {
    std::ranges::nth_element(found, found.begin() + static_cast<Index>(wanted), std::greater<>());
    found.resize(wanted);
  }
  std::ranges::fill(flags, 0);
  for (const auto& [excess, j] : found) flags[j] = 1;
  return flags;
}

}  // namespace normball
