// Compressed sparse columns, of doubles or floats; the caller keeps them alive.
#pragma once

#include "design/design.hpp"

namespace normball {

// `indptr` has n_cols + 1 entries
template <class T>
std::unique_ptr<Design> csc_design(const T* data, const std::int32_t* indices, const std::int64_t* indptr, Index n_rows,
                                   Index n_cols);

}  // namespace normball
