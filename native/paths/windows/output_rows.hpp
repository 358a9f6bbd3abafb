// What rows of several outputs add up for candidates: as CandidateRows of one output, with the curvature between
// outputs. (M26)
#pragma once

#include "design/design.hpp"
#include "losses/family.hpp"
#include "paths/windows/candidates.hpp"

namespace normball {

// Some rows as each problem sees them, row by row.
struct RowsOfOutputs {
  const Design* design = nullptr;  // null where the columns have no part in what is asked
  const Family* family = nullptr;
  std::vector<const double*> targets;
  std::vector<const double*> offsets;
  std::vector<const double*> weights;  // of sum 1 over all rows
};

// Of the rows [begin, end) as an array: products of the columns with the residuals of each candidate's outputs, sums of
// these residuals, sums of losses; then for each curvature, for each pair of outputs, the upper triangle of X'DX on the
// columns divided by their units and a column of ones.
Vector output_sums(const RowsOfOutputs& rows, const Candidates& candidates, Index begin, Index end);
Index n_output_sums(const Candidates& candidates);
void write_output_sums(const Vector& values, const Candidates& candidates, const std::vector<Evaluation*>& evaluations);

}  // namespace normball
