// The matrices that may come from outside.
#pragma once

#include <variant>

#include "design/csc.hpp"
#include "design/dense.hpp"

namespace normball {

using AnyDesign = std::variant<Dense<double, false>, Dense<double, true>, Dense<float, false>, Dense<float, true>,
                               Csc<double>, Csc<float>>;

}  // namespace normball
