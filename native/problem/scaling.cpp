#include "problem/scaling.hpp"

#include <algorithm>
#include <cmath>

namespace normball {
namespace {

// What a read about the common centre says of one problem's columns.
struct Spread {
  Vector variance;
  Vector noise;  // a variance that is rounding: the column is constant
};

// From `squares` about the centre. Where a problem's own mean lies so far from the centre, in units of the column's own
// spread, that the correction costs digits (a fold that holds all the spread of a column leaves none to the others),
// the column is read again about it.
Spread spread_of(const Design& design, const Vector& centre, const double* weights, const Vector& squares,
                 Vector& shift, Threads& threads) {
  Spread spread{.variance = squares, .noise = squares};
  std::vector<Index> far;
  for (std::size_t j = 0; j < squares.size(); ++j) {
    const double correction = shift[j] * shift[j];
    spread.variance[j] -= correction;
    spread.noise[j] = variance_noise(design.mean_noise, squares[j], centre[j]);
    if (correction > 100.0 * spread.variance[j]) far.push_back(static_cast<Index>(j));
  }
  if (far.empty()) return spread;
  Vector own = centre;
  for (const Index j : far) own[j] += shift[j];
  const std::unique_ptr<Design> about = design.about(own.data());
  const Columns columns{.list = far.data(), .count = std::ssize(far)};
  Vector rest(far.size());
  Vector square(far.size());
  double* rest_out = rest.data();
  double* square_out = square.data();
  about->sweep({.columns = columns, .n_vectors = 1, .vectors = &weights, .out = &rest_out}, threads);
  about->sweep_squares({.columns = columns, .n_vectors = 1, .vectors = &weights, .out = &square_out}, threads);
  for (std::size_t f = 0; f < far.size(); ++f) {
    const Index j = far[f];
    const double size = std::max(std::abs(centre[j]), std::abs(shift[j]));
    spread.variance[j] = square[f] - rest[f] * rest[f];
    spread.noise[j] = std::max(variance_noise(design.mean_noise, square[f], own[j]), 1e-28 * size * size);
    shift[j] += rest[f];
  }
  return spread;
}

}  // namespace

std::vector<Scaling> scalings_of(Design& design, Vector& centre, const std::vector<const double*>& weights,
                                 bool centres, bool standardises, bool wants_norms, Threads& threads) {
  const auto p = static_cast<std::size_t>(design.n_cols);
  const auto count = std::ssize(weights);
  std::vector<Scaling> scalings(weights.size(), {.shift = Vector(p, 0.0), .scale = Vector(p, 1.0), .norm = {}});
  const Columns all{.list = nullptr, .count = design.n_cols};
  centre.assign(p, 0.0);
  design.centre = centre.data();
  std::vector<Vector> squares(weights.size(), Vector(p));
  std::vector<double*> shifts;
  std::vector<double*> squares_out;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    shifts.push_back(scalings[k].shift.data());
    squares_out.push_back(squares[k].data());
  }
  const auto sweep_squares = [&] {
    design.sweep_squares({.columns = all, .n_vectors = count, .vectors = weights.data(), .out = squares_out.data()},
                         threads);
  };
  if (!centres && !standardises) {
    if (wants_norms) sweep_squares();
    for (std::size_t k = 0; wants_norms && k < weights.size(); ++k) {
      for (double& square : squares[k]) square = std::sqrt(square);
      scalings[k].norm.swap(squares[k]);
    }
    return scalings;
  }
  Vector mean(p);
  double* mean_out = mean.data();
  design.sweep({.columns = all, .n_vectors = 1, .vectors = weights.data(), .out = &mean_out}, threads);
  centre = mean;
  design.centre = centre.data();
  design.sweep({.columns = all, .n_vectors = count, .vectors = weights.data(), .out = shifts.data()}, threads);
  sweep_squares();
  for (std::size_t k = 0; k < weights.size(); ++k) {
    Scaling& scaling = scalings[k];
    if (wants_norms) scaling.norm.assign(p, 0.0);
    const Spread spread = spread_of(design, centre, weights[k], squares[k], scaling.shift, threads);
    for (std::size_t j = 0; j < p; ++j) {
      const double variance = spread.variance[j];
      const bool is_constant = variance <= spread.noise[j];
      scaling.scale[j] = is_constant ? 0.0 : (standardises ? std::sqrt(variance) : 1.0);
      if (!wants_norms || is_constant) continue;
      const double off_centre = centres ? 0.0 : centre[j] + scaling.shift[j];
      scaling.norm[j] = std::sqrt(variance + off_centre * off_centre) / scaling.scale[j];
    }
  }
  if (!centres) {
    std::ranges::fill(centre, 0.0);
    for (Scaling& scaling : scalings) std::ranges::fill(scaling.shift, 0.0);
  }
  return scalings;
}

}  // namespace normball
