// The passes over the rows of a copy and over its columns of which EightModels is made; each is compiled for several
// CPUs (core/cpu.hpp).
#pragma once

#include "core/cpu.hpp"
#include "quadratic/eight_models.hpp"

namespace normball {

// What a pass over the columns works on.
struct EightModels::Arrays {
  Index count;
  const Column* columns;
  const Eight* b;
  Eight* x;
  Eight* gradient;
  Eight* slope;
  Eight* inverse;
  const Eight* every_inverse;
  const Eight* means;
  Eight l1;
  Eight l2;
};

namespace eight_passes {

using Arrays = EightModels::Arrays;
using Column = EightModels::Column;

NORMBALL_INLINE void abs(const Eight& x, Eight& out) { out = x < 0.0F ? -x : x; }

NORMBALL_INLINE void row_product(const RowCopy& copy, Index i, const Eight* s, Eight& out) {
  const std::int32_t* column = copy.column.data();
  const float* value = copy.value.data();
  const std::int64_t last = copy.begin[i + 1];
  std::int64_t e = copy.begin[i];
  Eight even{};
  Eight odd{};
  for (; e + 2 <= last; e += 2) {
    even += value[e] * s[column[e]];
    odd += value[e + 1] * s[column[e + 1]];
  }
  if (e < last) even += value[e] * s[column[e]];
  out = even + odd;
}

// q += X'd X s; sums of d X s and of its product with X s
NORMBALL_INLINE void forth_and_back(const RowCopy& copy, const Eight* d, const Eight* s, Eight* q, Eight* sums) {
  const std::int32_t* column = copy.column.data();
  const float* value = copy.value.data();
  Eight sum{};
  Eight square{};
  const Index n_rows = std::ssize(copy.rows);
  for (Index i = 0; i < n_rows; ++i) {
    Eight product;
    row_product(copy, i, s, product);
    const Eight weighted = d[i] * product;
    sum += weighted;
    square += weighted * product;
    const std::int64_t last = copy.begin[i + 1];
    for (std::int64_t e = copy.begin[i]; e < last; ++e) q[column[e]] += value[e] * weighted;
  }
  sums[0] = sum;
  sums[1] = square;
}

NORMBALL_INLINE void forth(const RowCopy& copy, const Eight* s, Eight* out) {
  for (Index i = 0; i < std::ssize(copy.rows); ++i) row_product(copy, i, s, out[i]);
}

NORMBALL_INLINE void add_moments(const RowCopy& copy, const Eight* d, Eight* means, Eight* squares) {
  for (Index i = 0; i < std::ssize(copy.rows); ++i) {
    const Eight weight = d[i];
    for (std::int64_t e = copy.begin[i]; e < copy.begin[i + 1]; ++e) {
      const Eight product = copy.value[e] * weight;
      means[copy.column[e]] += product;
      squares[copy.column[e]] += copy.value[e] * product;
    }
  }
}

// of H's diagonal, from the sums of d x^2; a column that its own rounding drowns is left alone
NORMBALL_INLINE void invert(const Arrays& a, Eight* diagonal) {
  for (Index c = 0; c < a.count; ++c) {
    const Eight about_zero = diagonal[c];
    const Eight spread = about_zero - a.means[c] * a.means[c];
    const Eight curvature = spread + a.l2 * a.columns[c].l2;
    diagonal[c] = ((spread > 1e-5F * about_zero) & (curvature > 1e-30F)) ? 1.0F / curvature : Eight{};
  }
}

// what the intercept's step and the ridge add
NORMBALL_INLINE void add_to_gradient(const Arrays& a, const Eight& shift) {
  for (Index c = 0; c < a.count; ++c) a.gradient[c] += shift * a.means[c] + a.l2 * a.columns[c].l2 * a.b[c];
}

// -1, 0 or 1: where a coordinate at b would go, with more than `threshold` to gain
NORMBALL_INLINE void direction(const Eight& g, const Eight& b, const Eight& l1, const Column& column,
                               const Eight& threshold, Eight& out) {
  const Eight right = g + (b >= 0.0F ? l1 : -l1);
  const Eight left = g + (b > 0.0F ? l1 : -l1);
  constexpr float inside = 1.0F - 1e-6F;  // a bound, but for rounding
  const auto rises = (b < inside * column.upper) & (-right > threshold);
  const auto falls = (b > inside * column.lower) & (left > threshold);
  out = rises ? Eight{} + 1.0F : (falls ? Eight{} - 1.0F : Eight{});
}

// where it may go from `at` with this sign held: it stops at the kink and at the bounds
NORMBALL_INLINE void stopped(const Eight& at, const Eight& slope, const Column& column, Eight& out) {
  const Eight kept = at * slope < 0.0F ? Eight{} : at;
  const Eight low = kept < column.lower ? Eight{} + column.lower : kept;
  out = low > column.upper ? Eight{} + column.upper : low;
}

// coordinates beyond `threshold` join the active ones of the models in `which`
NORMBALL_INLINE void let_in(const Arrays& a, const Eight& which, const Eight& threshold) {
  for (Index c = 0; c < a.count; ++c) {
    const Column column = a.columns[c];
    const Eight l1 = column.l1 * a.l1;
    const Eight at = a.b[c] + a.x[c];
    Eight way;
    direction(a.gradient[c], at, l1, column, threshold + 1e-6F * l1, way);
    const auto enters = (way != 0.0F) & (a.inverse[c] == 0.0F) & (which > 0.0F);
    const Eight sign = at != 0.0F ? at : way;
    const Eight slope = sign > 0.0F ? l1 : -l1;
    a.slope[c] = enters ? slope : a.slope[c];
    a.inverse[c] = enters ? a.every_inverse[c] : a.inverse[c];
  }
}

// the active coordinates of the models in `which` are those off zero and bounds
NORMBALL_INLINE void take_signs(const Arrays& a, const Eight& which) {
  for (Index c = 0; c < a.count; ++c) {
    const Column column = a.columns[c];
    const Eight l1 = column.l1 * a.l1;
    const Eight at = a.b[c] + a.x[c];
    const auto is_active = ((at != 0.0F) | (l1 == 0.0F)) & (at > column.lower) & (at < column.upper);
    const Eight slope = at > 0.0F ? l1 : -l1;
    a.slope[c] = which > 0.0F ? (is_active ? slope : Eight{}) : a.slope[c];
    a.inverse[c] = which > 0.0F ? (is_active ? a.every_inverse[c] : Eight{}) : a.inverse[c];
  }
}

// the steepest direction as preconditioned, in the models of `which`; out: r'Mr, |r|, its ridge
NORMBALL_INLINE void steepest(const Arrays& a, const Eight& which, Eight* search, Eight* out) {
  Eight square{};
  Eight largest{};
  Eight ridge{};
  for (Index c = 0; c < a.count; ++c) {
    const Eight r = a.gradient[c] + a.slope[c];
    const Eight scaled = r * a.inverse[c];
    square += r * scaled;
    Eight size;
    abs(r, size);
    size = a.inverse[c] > 0.0F ? size : Eight{};
    largest = size > largest ? size : largest;
    search[c] = which > 0.0F ? -scaled : search[c];
    ridge += a.columns[c].l2 * search[c] * search[c];
  }
  out[0] = square;
  out[1] = largest;
  out[2] = a.l2 * ridge;
}

// x and the gradient go along s; H s is `product` less `share` of the means
NORMBALL_INLINE void go(const Arrays& a, const Eight& length, const Eight& share, const Eight* s, const Eight* product,
                        Eight* out) {
  Eight square{};
  Eight largest{};
  const Eight shift = length * share;
  const Eight ridge = length * a.l2;
  for (Index c = 0; c < a.count; ++c) {
    a.x[c] += length * s[c];
    a.gradient[c] += length * product[c] - shift * a.means[c] + ridge * a.columns[c].l2 * s[c];
    const Eight r = a.gradient[c] + a.slope[c];
    square += r * r * a.inverse[c];
    Eight size;
    abs(r, size);
    size = a.inverse[c] > 0.0F ? size : Eight{};
    largest = size > largest ? size : largest;
  }
  out[0] = square;
  out[1] = largest;
}

// the next direction is conjugate to the last; its ridge
NORMBALL_INLINE void turn(const Arrays& a, const Eight& keep, Eight* search, Eight* product, Eight* out) {
  Eight ridge{};
  for (Index c = 0; c < a.count; ++c) {
    search[c] = keep * search[c] - (a.gradient[c] + a.slope[c]) * a.inverse[c];
    product[c] = Eight{};
    ridge += a.columns[c].l2 * search[c] * search[c];
  }
  *out = a.l2 * ridge;
}

// how many coordinates would leave their sign or the box, and how many would enter
NORMBALL_INLINE void count_changes(const Arrays& a, const Eight& threshold, Eight* out) {
  Eight leaving{};
  Eight entering{};
  for (Index c = 0; c < a.count; ++c) {
    const Column column = a.columns[c];
    const Eight l1 = column.l1 * a.l1;
    const Eight at = a.b[c] + a.x[c];
    Eight target;
    stopped(at, a.slope[c], column, target);
    Eight way;
    direction(a.gradient[c], at, l1, column, threshold + 1e-6F * l1, way);
    const auto active = a.inverse[c] > 0.0F;
    leaving += (active & (target != at)) ? Eight{} + 1.0F : Eight{};
    entering += (~active & (a.every_inverse[c] > 0.0F) & (way != 0.0F)) ? Eight{} + 1.0F : Eight{};
  }
  out[0] = leaving;
  out[1] = entering;
}

// those that would leave are held where they stop: `change` brings them there
NORMBALL_INLINE void project(const Arrays& a, const Eight& which, Eight* change, Eight* product) {
  for (Index c = 0; c < a.count; ++c) {
    const Eight at = a.b[c] + a.x[c];
    Eight target;
    stopped(at, a.slope[c], a.columns[c], target);
    const auto leaves = (target != at) & (a.inverse[c] > 0.0F) & (which > 0.0F);
    change[c] = leaves ? target - at : Eight{};
    product[c] = Eight{};
    a.inverse[c] = leaves ? Eight{} : a.inverse[c];
  }
}

// the models in `which` go the part `t` of the way from `from` to `to`, each coordinate until its sign or the box stops
// it
NORMBALL_INLINE void go_part(const Arrays& a, const Eight& which, float t, const Eight* from, const Eight* to,
                             Eight* change, Eight* product) {
  for (Index c = 0; c < a.count; ++c) {
    const Eight at = a.b[c] + a.x[c];
    Eight target;
    stopped(a.b[c] + (from[c] + t * (to[c] - from[c])), a.slope[c], a.columns[c], target);
    change[c] = which > 0.0F ? target - at : Eight{};
    product[c] = Eight{};
  }
}

// what was brought to zero by `change` is there exactly, else it would seem to have a sign
NORMBALL_INLINE void hold(const Arrays& a, const Eight* change) {
  for (Index c = 0; c < a.count; ++c) {
    Eight off;
    Eight size;
    abs(a.b[c] + a.x[c], off);
    abs(a.b[c], size);
    a.x[c] = ((change[c] != 0.0F) & (off < 1e-5F * size)) ? -a.b[c] : a.x[c];
  }
}

// Out: by how much the model has changed since b, and the size of what was summed. Where the sign is still that of b
// smooth and kinked parts go together, so that hardly a digit is lost.
NORMBALL_INLINE void add_value(const Arrays& a, const Eight* at_start, Eight* out) {
  Eight sum{};
  Eight sizes{};
  for (Index c = 0; c < a.count; ++c) {
    const Eight l1 = a.columns[c].l1 * a.l1;
    const Eight at = a.b[c] + a.x[c];
    const auto is_right = (a.b[c] > 0.0F) | ((a.b[c] == 0.0F) & (at > 0.0F));
    const Eight kink = is_right ? l1 : -l1;
    const Eight slope = 0.5F * (at_start[c] + a.gradient[c]) + kink;
    const Eight beyond = at * kink < 0.0F ? -2.0F * kink * at : Eight{};
    const Eight change = slope * a.x[c] + beyond;
    sum += change;
    Eight size;
    abs(change, size);
    sizes += size;
  }
  out[0] = sum;
  out[1] = sizes;
}

NORMBALL_INLINE void choose(Index count, const Eight& which, const Eight* from, Eight* to) {
  for (Index c = 0; c < count; ++c) to[c] = which > 0.0F ? from[c] : to[c];
}

}  // namespace eight_passes
}  // namespace normball
