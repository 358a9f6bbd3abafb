// Products with all columns that cost less than exact ones, and a rigorous bound of what they miss: `take` prepares
// vectors over the rows, `multiply` visits their products with a stretch of columns. A column whose product stays
// below its threshold by more than the bound is cleared without an exact product.
#pragma once

#include <type_traits>

#include "screening/byte_copy.hpp"
#include "screening/float_sweep.hpp"

namespace normball {

template <Design D>
using Screen = std::conditional_t<D::is_sparse, FloatSweep<D>, ByteCopy>;

}  // namespace normball
