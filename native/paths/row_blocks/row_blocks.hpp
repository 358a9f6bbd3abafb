// The path of a problem and of its folds over rows that come in blocks, which something else reads.
#pragma once

#include <functional>
#include <optional>

#include "core/threads.hpp"
#include "paths/row_blocks/block_rows.hpp"
#include "problem/specification.hpp"

namespace normball {

// Passes over all blocks; nothing comes back where the caller's world stopped them.
struct BlockPasses {
  std::function<std::optional<Vector>(const FoldProblems& problems, const Vector& intercepts)> null_sums;
  std::function<std::optional<Vector>(const FoldProblems& problems, const Vector& centre, const Candidates& candidates)>
      candidate_sums;
};

// Whether the first pass has to tell the products of columns.
bool needs_gram(const Specification& spec);

// `moments` are those of all blocks. The first problem has all rows, the next ones those that each fold leaves; the
// specification has no arrays over rows.
PathResult solve_row_blocks(const Specification& spec, const MomentsOfFolds& moments, const FoldPlan& folds,
                            const BlockPasses& passes, Threads& threads, const Monitor::Poll& poll);

}  // namespace normball
