// What a loss says of contiguous rows: value, residual and curvature of many samples in one pass.
#pragma once

#include "core/types.hpp"

namespace normball {

struct Rows {
  Index count = 0;
  const double* y = nullptr;
  const double* weights = nullptr;  // a row of weight 0 has no part in anything, whatever its eta
  const double* eta = nullptr;
  double* residual = nullptr;    // w f', if wanted; may be eta itself
  double* curvature = nullptr;   // w f'', if wanted
  double least_curvature = 0.0;  // a floor under f'': rows that are fitted perfectly keep a say about the step
  bool majorises = false;        // where f is straight, the curvature of a parabola above it
};

struct RowSums {
  double loss = 0.0;      // sum w f, without the part of f that depends on y alone
  double residual = 0.0;  // sum w f'
  double pearson = 0.0;   // sum w f'^2 / f'', Pearson's statistic; it bounds the dual (M8a)
  double squares = 0.0;   // sum w f'^2

  RowSums& operator+=(const RowSums& other) {
    loss += other.loss;
    residual += other.residual;
    pearson += other.pearson;
    squares += other.squares;
    return *this;
  }
};

// What a dual point other than the residual is worth (M8b): u_i in place of f'(y_i, eta_i).
struct DualSums {
  double dual_pearson = 0.0;  // sum w (u - f')^2 / f''
  double pearson = 0.0;       // sum w u^2 / f''
  double distance = 0.0;      // sum w (u - f')^2
  double total = 0.0;         // sum w u
  double n_clipped = 0.0;     // rows whose u was beyond what bounds f* so, and is no longer
};

}  // namespace normball
