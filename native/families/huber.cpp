#include "losses/separable_loss.hpp"

namespace normball {
namespace {

// f = r^2 / 2 where |r| <= delta, delta |r| - delta^2 / 2 beyond, with r = eta - y (Huber 1964)
struct Huber {
  static constexpr bool is_quadratic = false;
  static constexpr bool is_location = true;
  static constexpr bool has_concave_variance = true;
  double delta = 1.345;

  template <class Real>
  NORMBALL_INLINE void terms(const Real& y, const Real& eta, Terms<Real>& out) const {
    const Real r = eta - y;
    Real size;
    simd::abs(r, size);
    const auto is_inner = size <= delta;
    out.residual = is_inner ? r : (r > 0.0 ? Real{} + delta : Real{} - delta);
    out.value = is_inner ? 0.5 * r * r : delta * (size - 0.5 * delta);
    out.curvature = is_inner ? Real{} + 1.0 : Real{};
  }
  // f'/r, that of iteratively reweighted least squares (Huber 1981, section 7.8)
  template <class Real>
  NORMBALL_INLINE void majorise(const Terms<Real>& terms, Real& out) const {
    out = terms.curvature > 0.0 ? terms.curvature : delta * delta / (terms.value + 0.5 * delta * delta);
  }
  // no such bound where f is straight: the residual itself
  template <class Real>
  NORMBALL_INLINE void nearest(const Real& /*y*/, const Terms<Real>& terms, const Real& u, Real& out) const {
    const Real above = u > delta ? Real{} + delta : u;
    const Real within = above < -delta ? Real{} - delta : above;
    out = terms.curvature > 0.0 ? within : terms.residual;
  }
  static double constant(double /*y*/) { return 0.0; }
  static double link(double mean) { return mean; }
  static double curvature_at(double /*mean*/) { return 1.0; }
  static double null_step(double /*mean*/, double residual, double curvature) { return -residual / curvature; }
};

const Family huber = family<Huber>("huber");

}  // namespace
}  // namespace normball
