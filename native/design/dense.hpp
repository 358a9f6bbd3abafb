// A matrix with all its entries, of doubles or floats, column-major or row-major; the caller keeps them alive.
#pragma once

#include "design/design.hpp"

namespace normball {

template <class T>
std::unique_ptr<Design> dense_design(const T* data, Index n_rows, Index n_cols, bool is_row_major);

}  // namespace normball
