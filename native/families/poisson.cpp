#include "losses/separable_loss.hpp"

namespace normball {
namespace {

// f = e^eta - y eta - (y - y log y), half the Poisson deviance
struct Poisson {
  static constexpr bool is_quadratic = false;
  static constexpr bool is_location = false;
  static constexpr bool has_concave_variance = true;

  template <class Real>
  NORMBALL_INLINE void terms(const Real& y, const Real& eta, Terms<Real>& out) const {
    simd::exp(eta, out.curvature);
    out.residual = out.curvature - y;
    out.value = out.curvature - y * eta;
  }
  template <class Real>
  NORMBALL_INLINE void nearest(const Real& y, const Terms<Real>& /*terms*/, const Real& u, Real& out) const {
    out = u < -y ? -y : u;
  }
  static double constant(double y) { return -(y - x_log_x(y)); }
  static double link(double mean) { return std::log(mean); }
  static double curvature_at(double mean) { return mean; }
  static double null_step(double mean, double residual, double /*curvature*/) {
    return link(mean) - link(mean + residual);
  }
};

const Family poisson = family<Poisson>("poisson");

}  // namespace
}  // namespace normball
