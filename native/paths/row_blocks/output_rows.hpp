// What rows of several outputs add up for candidates: as `candidate_sums` of one output, with the curvature between
// outputs. (M26)
#pragma once

#include "paths/row_blocks/block_rows.hpp"

namespace normball {

// As an array: products of the columns with the residuals of each candidate's outputs, sums of these residuals, sums of
// losses; then for each curvature, for each pair of outputs, the upper triangle of X'DX on the columns divided by
// their units and a column of ones.
Vector output_sums(const BlockRows& rows, const FoldProblems& problems, const Candidates& candidates);
// The same of each problem at its intercepts alone, without columns, and with curvatures.
Candidates null_candidates(const Vector& intercepts, Index n_outputs);
void write_output_sums(const Vector& values, const Candidates& candidates, const std::vector<Evaluation*>& evaluations);

}  // namespace normball
