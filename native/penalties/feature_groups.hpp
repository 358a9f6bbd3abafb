// Groups of features that a penalty takes as a whole or leaves (Yuan & Lin 2006). docs/mathematics.md (M19)
#pragma once

#include "core/types.hpp"

namespace normball {

struct FeatureGroups {
  std::vector<std::int32_t> of_feature;  // -1 for none; empty where there are no groups
  Vector weights;                        // of the groups; NaN stands for the root of their size
  double ratio = 1.0;           // share of the groups' norms, the rest is each coefficient's own (Simon et al. 2013)
  bool is_orthonormal = false;  // the norm is that of what a group adds to eta
};

}  // namespace normball
