// Pairs of moments in the order of time: at each, what of all that comes later lies at lower, higher and the same
// places.
#pragma once

#include "core/types.hpp"

namespace normball::kernels {

// What is there from a moment on, and what it is worth to find it later: `width` numbers a moment each.
struct Moments {
  Index count;
  Index width;
  const std::int64_t* group;  // pairs are of one group; a group stands together
  const std::int64_t* place;
  Index n_places;
  const double* present;
  const double* worth;
};

// sums (3 x width) += over all moments, their worth times what is present later at lower, higher and the same places
void add_pairs(const Moments& moments, double* sums);

}  // namespace normball::kernels
