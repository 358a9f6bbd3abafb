// The rows of one block, and what they add to each pass.
#pragma once

#include "design/design.hpp"
#include "losses/family.hpp"
#include "paths/row_blocks/fold_moments.hpp"
#include "paths/windows/candidates.hpp"

namespace normball {

struct BlockRows {
  const Design* design = nullptr;  // null where the columns have no part in what is asked
  Index n_rows = 0;
  Index first_row = 0;
  Index n_outputs = 1;
  const double* y = nullptr;  // row by row, as the offset
  const double* weights = nullptr;
  const double* offset = nullptr;
  const std::int32_t* fold = nullptr;  // that holds a row out, -1 for none, in each repeat; null: no row is held out
  const Family* family = nullptr;
  double parameter = 0.0;
};

// `totals` are sums of weights of the problems.
struct FoldProblems {
  Vector totals;
  Vector least_curvature;
  FoldPlan folds;
};

// of the rows in a problem, of sum 1 over all blocks
Vector weights_of(const BlockRows& rows, const FoldProblems& problems, Index problem);

// The first pass: the moments of each fold's rows, about their own means.
void add_moments(const BlockRows& rows, const FoldPlan& folds, const MomentsOfFolds& out);

// Of each problem of one output at its intercept alone: the sums of f' and f'', and of parabolas above f.
Vector null_sums(const BlockRows& rows, const FoldProblems& problems, const double* intercepts);

// What rows of several outputs add up for candidates (windows/output_rows.hpp); and for each problem at its intercepts
// alone, without columns, with curvatures.
Vector output_sums(const BlockRows& rows, const FoldProblems& problems, const Candidates& candidates);
Candidates null_candidates(const Vector& intercepts, Index n_outputs);

// What rows of one output add up for candidates, as an array; `from_array` makes it sums again.
Vector candidate_sums(const BlockRows& rows, const FoldProblems& problems, const Candidates& candidates);
CandidateSums from_array(const Vector& values, const Candidates& candidates);

}  // namespace normball
