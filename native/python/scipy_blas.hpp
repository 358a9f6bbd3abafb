// Fills the table in blas.hpp with the function pointers that scipy publishes.
#pragma once

namespace normball {

// Before the first use of blas(), with the GIL held; raises where scipy's functions have other signatures.
void load_blas();

}  // namespace normball
