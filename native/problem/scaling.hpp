// The standardisation of one problem's columns (M4), and means and standard deviations from reads of the design.
#pragma once

#include <algorithm>

#include "design/design.hpp"

namespace normball {

struct Scaling {
  Vector shift;  // mean of column j under the problem's weights, less the design's centre
  Vector scale;  // standard deviation (or 1); 0 for a column that is constant under these weights, which stays out
  Vector norm;   // sqrt(sum w x^2) of the standardised column; empty where nobody asks

  // of a standardised column with a vector, from the product of the stored column and the vector's sum
  double product(Index j, double stored, double total) const {
    return scale[j] == 0.0 ? 0.0 : (stored - shift[j] * total) / scale[j];
  }

  // A change of listed coefficients in units of the data, and what it takes from eta of every row for the centring.
  double to_raw(Columns columns, const double* change, double* raw) const {
    double moved = 0.0;
    for (Index s = 0; s < columns.count; ++s) {
      const Index j = columns[s];
      raw[s] = change[s] == 0.0 ? 0.0 : change[s] / scale[j];
      moved += raw[s] * shift[j];
    }
    return moved;
  }
};

// The variance up to which a column is constant: the rounding of its mean square about the centre, and of the centre.
inline double variance_noise(double mean_noise, double square, double centre) {
  return std::max(1e-12 * square, mean_noise * centre * centre);
}

// Of every problem in three reads of the design (and of single columns), with norms where `wants_norms`; sets `centre`.
std::vector<Scaling> scalings_of(Design& design, Vector& centre, const std::vector<const double*>& weights,
                                 bool centres, bool standardises, bool wants_norms, Threads& threads);

}  // namespace normball
