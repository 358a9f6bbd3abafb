#include "losses/separable_loss.hpp"

namespace normball {
namespace {

// f = (y - eta)^2 / 2
struct SquaredError {
  static constexpr bool is_quadratic = true;
  static constexpr bool is_location = true;
  static constexpr bool has_concave_variance = true;

  template <class Real>
  NORMBALL_INLINE void terms(const Real& y, const Real& eta, Terms<Real>& out) const {
    out.residual = eta - y;
    out.value = 0.5 * out.residual * out.residual;
    out.curvature = Real{} + 1.0;
  }
  template <class Real>
  NORMBALL_INLINE void nearest(const Real& /*y*/, const Terms<Real>& /*terms*/, const Real& u, Real& out) const {
    out = u;
  }
  static double constant(double /*y*/) { return 0.0; }
  static double link(double mean) { return mean; }
  static double curvature_at(double /*mean*/) { return 1.0; }
  static double null_step(double /*mean*/, double residual, double /*curvature*/) { return -residual; }
};

const Family gaussian = family<SquaredError>("gaussian");

}  // namespace
}  // namespace normball
