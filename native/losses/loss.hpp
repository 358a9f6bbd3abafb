// One sample's loss f(y, eta), half the unit deviance: 0 where the fit is perfect, so that every family is
// bounded below by 0 and gaps can be reported relative to the null loss. docs/mathematics.md (M2).
#pragma once

#include <cmath>
#include <concepts>

#include "losses/rows.hpp"

namespace normball {

template <class L>
concept Loss = requires(double y, double eta, double u, const Rows& block) {
  { L::value(y, eta) } -> std::same_as<double>;     // f(y, eta) >= 0
  { L::gradient(y, eta) } -> std::same_as<double>;  // df/d eta = mu - y
  { L::conjugate(y, u) } -> std::same_as<double>;   // sup_eta u eta - f(y, eta); +infinity outside its domain
  { L::link(y) } -> std::same_as<double>;           // eta at which the mean is y
  { L::curvature_at(y) } -> std::same_as<double>;   // f'' there
  { L::constant(y) } -> std::same_as<double>;       // the part of f that depends on y alone
  { L::rows(block) } -> std::same_as<RowSums>;      // f, f' and f'' of many samples, without that part
  { L::quadratic } -> std::convertible_to<bool>;    // curvature is 1 everywhere
} && (L::quadratic || requires(const Rows& block, const double* v) {
                 { L::dual(block, v) } -> std::same_as<DualSums>;  // what another dual point than f' is worth (M8b)
               });

inline double x_log_x(double x) { return x > 0.0 ? x * std::log(x) : 0.0; }

}  // namespace normball
