// One pass of a penalty over the weights of a network, after a step of its optimizer (normball.torch).
#pragma once

#include "core/threads.hpp"
#include "core/types.hpp"

namespace normball::kernels {

// w_i = soft(w_i, d_i l1) / (1 + d_i l2), where d_i = step / (root sqrt(second_i) + eps), or step / unseen where
// second_i is zero; without `second`, d = step for all.
template <class T>
struct Shrinkage {
  const T* second;
  T step;
  T root;
  T eps;
  T unseen;
  T l1;
  T l2;
};

// From the last weight to the first: an optimizer that has just gone through them left the last ones in the cache.
template <class T>
void shrink(T* w, Index n, const Shrinkage<T>& by, Threads& threads);

}  // namespace normball::kernels
