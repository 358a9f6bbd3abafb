#include "losses/separable_loss.hpp"

namespace normball {
namespace {

// Half the Tweedie deviance of power 1 < p < 2 with a logarithmic link: f = a / (2 - p) + c / (p - 1) less its minimum,
// with a = mu^(2-p), c = y mu^(1-p). Between Poisson (p = 1) and gamma (p = 2): zeros and positive amounts.
struct Tweedie {
  static constexpr bool is_quadratic = false;
  static constexpr bool is_location = false;
  static constexpr bool has_concave_variance = false;
  double power = 1.5;

  template <class Real>
  NORMBALL_INLINE void terms(const Real& y, const Real& eta, Terms<Real>& out) const {
    Real a;
    Real c;
    simd::exp((2.0 - power) * eta, a);
    simd::exp((1.0 - power) * eta, c);
    c = y == 0.0 ? Real{} : y * c;  // 0 times infinity
    out.value = a / (2.0 - power) + c / (power - 1.0);
    out.residual = a - c;
    out.curvature = (2.0 - power) * a + (power - 1.0) * c;
  }
  // f* is bounded near its tangent only: |f'''| <= m f'' with m = max(p - 1, 2 - p) gives D <= (u - f')^2 / f'' where
  // m |u - f'| <= f'' (Bach 2010, "Self-concordant analysis for logistic regression", lemma 1, conjugated)
  template <class Real>
  NORMBALL_INLINE void nearest(const Real& y, const Terms<Real>& terms, const Real& u, Real& out) const {
    const Real reach = terms.curvature / std::max(power - 1.0, 2.0 - power);
    const Real high = terms.residual + reach;
    const Real low = terms.residual - reach;
    const Real above = u > high ? high : u;
    const Real within = above < low ? low : above;
    out = y == 0.0 && within < 0.0 ? Real{} : within;
  }
  double constant(double y) const {
    return y == 0.0 ? 0.0 : -std::pow(y, 2.0 - power) / ((power - 1.0) * (2.0 - power));
  }
  static double link(double mean) { return std::log(mean); }
  double curvature_at(double mean) const { return std::pow(mean, 2.0 - power); }
  // the sums of a and c follow from those of f' and f''
  double null_step(double /*mean*/, double residual, double curvature) const {
    const double a = curvature + (power - 1.0) * residual;
    return std::log((a - residual) / a);
  }
};

const Family tweedie = family<Tweedie>("tweedie");

}  // namespace
}  // namespace normball
