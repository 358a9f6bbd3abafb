#include "losses/separable_loss.hpp"

namespace normball {
namespace {

// f = log(1 + e^eta) - y eta, less its minimum over eta (0 for labels, the entropy of y for proportions)
struct Logistic {
  static constexpr bool is_quadratic = false;
  static constexpr bool is_location = false;
  static constexpr bool has_concave_variance = true;

  template <class Real>
  NORMBALL_INLINE void terms(const Real& y, const Real& eta, Terms<Real>& out) const {
    Real size;
    Real e;
    Real log;
    simd::abs(eta, size);
    simd::exp(-size, e);
    simd::log1p_unit(e, log);
    const Real larger = 1.0 / (1.0 + e);  // sigma(|eta|)
    const Real smaller = e * larger;      // sigma(-|eta|)
    const auto positive = eta >= 0.0;
    const Real up = positive ? larger : smaller;
    const Real down = positive ? smaller : larger;
    out.value = log + ((positive ? eta : Real{}) - y * eta);
    out.residual = (1.0 - y) * up - y * down;  // no cancellation where the fit is nearly perfect
    out.curvature = up * down;
  }
  template <class Real>
  NORMBALL_INLINE void nearest(const Real& y, const Terms<Real>& /*terms*/, const Real& u, Real& out) const {
    const Real above = u > 1.0 - y ? 1.0 - y : u;
    out = above < -y ? -y : above;
  }
  static double constant(double y) {
    return y == 0.0 || y == 1.0 ? 0.0 : x_log_x(y) + (1.0 - y) * std::log1p(-y);  // y may be 1e-12
  }
  static double link(double mean) { return std::log(mean / (1.0 - mean)); }
  static double curvature_at(double mean) { return mean * (1.0 - mean); }
  static double null_step(double mean, double residual, double /*curvature*/) {
    return link(mean) - link(mean + residual);
  }
};

const Family binomial = family<Logistic>("binomial");

}  // namespace
}  // namespace normball
