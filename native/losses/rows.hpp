// The losses over contiguous rows: value, residual and curvature of many samples in one pass. The bodies stand in
// rows.cpp, compiled for several CPUs.
#pragma once

#include "../types.hpp"

namespace normball {

struct Rows {
  Index count = 0;
  const double* y = nullptr;
  const double* weights = nullptr;  // a row of weight 0 has no part in anything, whatever its eta
  const double* eta = nullptr;
  double* residual = nullptr;   // w f', if wanted; may be eta itself
  double* curvature = nullptr;  // w f'', if wanted, with a floor under f''
};

struct RowSums {
  double loss = 0.0;      // sum w f, without the part of f that depends on y alone
  double residual = 0.0;  // sum w f'
  double spread = 0.0;    // sum w f'^2 / f'', Pearson's statistic; it bounds the dual (M8a)

  RowSums& operator+=(const RowSums& other) {
    loss += other.loss;
    residual += other.residual;
    spread += other.spread;
    return *this;
  }
};

RowSums squared_error_rows(const Rows& rows);
RowSums logistic_rows(const Rows& rows);
RowSums poisson_rows(const Rows& rows);

}  // namespace normball
