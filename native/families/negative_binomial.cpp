#include "losses/separable_loss.hpp"

namespace normball {
namespace {

// f = y log(y / mu) - (y + theta) log((y + theta) / (mu + theta)) with mu = e^eta, half the deviance of the negative
// binomial distribution of variance mu + mu^2 / theta. With t = eta - log(theta) and sigma = mu / (mu + theta) it is
// y + theta times the logistic loss of y / (y + theta).
struct NegativeBinomial {
  static constexpr bool is_quadratic = false;
  static constexpr bool is_location = false;
  static constexpr bool has_concave_variance = true;
  double theta = 1.0;
  double log_theta = std::log(theta);

  template <class Real>
  NORMBALL_INLINE void terms(const Real& y, const Real& eta, Terms<Real>& out) const {
    const Real t = eta - log_theta;
    Real size;
    Real e;
    Real log;
    simd::abs(t, size);
    simd::exp(-size, e);
    simd::log1p_unit(e, log);
    const Real larger = 1.0 / (1.0 + e);
    const Real smaller = e * larger;
    const auto positive = t >= 0.0;
    const Real up = positive ? larger : smaller;
    const Real down = positive ? smaller : larger;
    const Real size_of_row = y + theta;
    out.value = size_of_row * (log + (positive ? t : Real{})) - y * t;
    out.residual = theta * up - y * down;
    out.curvature = size_of_row * up * down;
  }
  template <class Real>
  NORMBALL_INLINE void nearest(const Real& y, const Terms<Real>& /*terms*/, const Real& u, Real& out) const {
    const Real above = u > theta ? Real{} + theta : u;
    out = above < -y ? -y : above;
  }
  double constant(double y) const {
    return (y > 0.0 ? y * std::log(y / theta) : 0.0) - (y + theta) * std::log1p(y / theta);
  }
  static double link(double mean) { return std::log(mean); }
  double curvature_at(double mean) const { return mean * theta / (mean + theta); }
  double null_step(double mean, double residual, double /*curvature*/) const {
    return std::log(mean) - std::log(theta * (mean + residual) / (theta - residual));
  }
};

const Family negative_binomial = family<NegativeBinomial>("negative_binomial");

}  // namespace
}  // namespace normball
