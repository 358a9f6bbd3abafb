// What a block of rows adds to each pass, and the path that asks for passes.
#pragma once

#include <nanobind/nanobind.h>

namespace normball {

void define_row_blocks(nanobind::module_& m);

}  // namespace normball
