// One problem on its way down the path of tall data: its open states, and how far it looks ahead.
#pragma once

#include <algorithm>

#include "paths/windows/lambda_state.hpp"

namespace normball {

struct ProblemState {
  static constexpr std::size_t most_open = 24;
  static constexpr double most_lookahead = 0.6;

  Iterate base;                       // the deepest point that was evaluated
  double position = 0.0;              // of the base
  double lookahead = most_lookahead;  // how far below the base the model is trusted
  Index next = 0;                     // place in the plan
  Index owner = 0;                    // whose curvatures it uses
  bool is_precise = false;            // curvatures in few digits did not do
  std::vector<LambdaState> open;

  // After a prediction that went too far the later ones are not worth a try from the same base. Predictions that held
  // win back what lookahead was lost: one hard stretch must not leave a window of one lambda for the rest of the path.
  void retreat() {
    const auto failed = std::ranges::find_if(
        open, [](const LambdaState& state) { return state.n_accepted == 0 && state.n_rejected == 1 && !state.closed; });
    if (failed == open.end()) {
      const auto held = [](const LambdaState& state) { return state.n_accepted == 1 && state.n_rejected == 0; };
      if (std::ranges::any_of(open, held)) lookahead = std::min(most_lookahead, growth * lookahead);
      return;
    }
    lookahead = std::max(least_lookahead, 0.5 * lookahead);
    const auto n_kept = static_cast<std::size_t>(failed - open.begin()) + 1;
    while (open.size() > n_kept && open.back().n_accepted == 0) open.pop_back();
    next = open.back().plan + 1;
  }

 private:
  static constexpr double least_lookahead = 0.05;
  static constexpr double growth = 1.5;
};

}  // namespace normball
