#include "losses/separable_loss.hpp"

namespace normball {
namespace {

// f = y / mu + log(mu / y) - 1 with mu = e^eta, half the gamma deviance with a logarithmic link
struct Gamma {
  static constexpr bool is_quadratic = false;
  static constexpr bool is_location = false;
  static constexpr bool has_concave_variance = true;

  template <class Real>
  NORMBALL_INLINE void terms(const Real& y, const Real& eta, Terms<Real>& out) const {
    simd::exp(-eta, out.curvature);
    out.curvature *= y;
    out.residual = 1.0 - out.curvature;
    out.value = out.curvature + eta;
  }
  template <class Real>
  NORMBALL_INLINE void nearest(const Real& /*y*/, const Terms<Real>& /*terms*/, const Real& u, Real& out) const {
    out = u > 1.0 ? Real{} + 1.0 : u;
  }
  static double constant(double y) { return -std::log(y) - 1.0; }
  static double link(double mean) { return std::log(mean); }
  static double curvature_at(double /*mean*/) { return 1.0; }
  static double null_step(double /*mean*/, double residual, double /*curvature*/) { return std::log1p(-residual); }
};

const Family gamma = family<Gamma>("gamma");

}  // namespace
}  // namespace normball
