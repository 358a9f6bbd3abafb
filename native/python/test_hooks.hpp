// What tests force or look at: the level of the CPU (not while a fit runs) and the threads of a call.
#pragma once

#include <nanobind/nanobind.h>

namespace normball {

void define_test_hooks(nanobind::module_& m);

}  // namespace normball
