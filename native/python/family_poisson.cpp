#include "paths/path.hpp"
#include "python/families.hpp"

namespace normball {
NORMBALL_INSTANTIATE_FAMILY(Poisson)
}  // namespace normball
