#include "families.hpp"
#include "path.hpp"

namespace normball {
NORMBALL_INSTANTIATE_FAMILY(SquaredError)
}  // namespace normball
