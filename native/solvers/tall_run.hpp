// One problem on its way down the path of tall data: its open stops, and how far it looks ahead.
#pragma once

#include <algorithm>

#include "tall_stop.hpp"

namespace normball {

struct Run {
  static constexpr std::size_t most_open = 24;
  static constexpr double most_reach = 0.6;

  Iterate base;               // the deepest point that was evaluated
  double position = 0.0;      // of the base
  double reach = most_reach;  // how far below the base the model is trusted
  Index next = 0;             // place in the plan
  Index owner = 0;            // whose curvatures it uses
  bool is_precise = false;    // curvatures in single precision did not do
  std::vector<Stop> open;

  // After a prediction that went too far the later ones are not worth a try from the same base. Predictions that held
  // win back what reach was lost: one hard stretch must not leave a window of one lambda for the rest of the path.
  void retreat() {
    const auto failed = std::ranges::find_if(
        open, [](const Stop& stop) { return stop.n_accepted == 0 && stop.n_rejected == 1 && !stop.closed; });
    if (failed == open.end()) {
      const auto held = [](const Stop& stop) { return stop.n_accepted == 1 && stop.n_rejected == 0; };
      if (std::ranges::any_of(open, held)) reach = std::min(most_reach, growth * reach);
      return;
    }
    reach = std::max(least_reach, 0.5 * reach);
    const auto n_kept = static_cast<std::size_t>(failed - open.begin()) + 1;
    while (open.size() > n_kept && open.back().n_accepted == 0) open.pop_back();
    next = open.back().plan + 1;
  }

 private:
  static constexpr double least_reach = 0.05;
  static constexpr double growth = 1.5;
};

}  // namespace normball
