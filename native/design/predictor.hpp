// X b + b0 for many points of a path at once, on chosen rows, without a copy of X.
#pragma once

#include "design/design.hpp"

namespace normball {

struct SparseCoefficients {
  const double* intercepts;
  const std::int64_t* indptr;  // one row a point
  const std::int32_t* indices;
  const double* values;
  Index n_points;
};

// eta (n_chosen x n_points, row-major); rows == nullptr means all rows in order
Vector predict(const Design& X, const std::int64_t* rows, Index n_chosen, const SparseCoefficients& coefs,
               int n_threads);

}  // namespace normball
