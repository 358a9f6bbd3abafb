// Columns that another one makes superfluous: with an L1 penalty alone, a column that is another one up to a factor
// (and, beside an intercept, a shift) has an optimal coefficient of zero, if the other one reaches the same fit at no
// greater price (M16). Text is full of them (words that occur in one document only), and a model matrix holds x and
// 1 - x. Left in, they make every active block singular and the solution arbitrary.
#pragma once

#include "core/threads.hpp"
#include "design/design.hpp"
#include "problem/specification.hpp"

namespace normball {

// The penalty factors of the specification, infinite for the columns that another one makes superfluous: a row for
// each problem, or one where all share factors and bounds.
Vector factors_without_duplicates(const Design& design, const Specification& spec, Threads& threads);

}  // namespace normball
