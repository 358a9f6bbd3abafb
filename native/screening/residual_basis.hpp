// The residuals of one problem at neighbouring lambdas span few directions, since its path is almost piecewise linear.
// A few of them, the basis, are multiplied with the design; another one is a combination of these and a remainder,
// whose product with a column is at most the product of their norms (Cauchy, as in safe rules: El Ghaoui et al. 2012).
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/kernels.hpp"

namespace normball {

class ResidualBasis {
 public:
  struct Combination {
    Vector shares;  // of the basis, in their order
    double remainder = 0.0;
  };

  ResidualBasis() = default;

  // `tolerances`: the remainders that do little harm; the residuals `kept` shall be basis. Norms are those of the
  // weights: |r| = sqrt(sum r_i^2 / w_i). Without tolerances each residual is an member.
  ResidualBasis(const std::vector<const double*>& residuals, const Vector& weights, Vector tolerances,
                const std::vector<std::uint8_t>& kept)
      : combinations_(residuals.size()), parts_(residuals.size()) {
    for (const double* residual : residuals) rests_.push_back(scaled(residual, weights));
    const std::vector<Vector> vectors = rests_;
    for (const Vector& vector : vectors) norms_.push_back(norm(vector));
    for (std::size_t v = 0; v < tolerances.size(); ++v) {
      if (kept[v] != 0) tolerances[v] = std::min(tolerances[v], 1e-6 * norms_[v]);
    }
    if (!tolerances.empty()) choose(tolerances);
    if (list_.empty()) list_ = all();
    for (Index v = 0; v < std::ssize(vectors); ++v) combine(v, vectors);
    rests_.clear();
  }

  const std::vector<Index>& list() const { return list_; }  // places among the residuals
  const Combination& combination(Index v) const { return combinations_[v]; }

 private:
  static Vector scaled(const double* residual, const Vector& weights) {
    Vector out(weights.size(), 0.0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0.0) out[i] = residual[i] / std::sqrt(weights[i]);
    }
    return out;
  }

  static double norm(const Vector& a) { return std::sqrt(dot(a, a)); }
  static double dot(const Vector& a, const Vector& b) { return kernels::dot(a.data(), 0.0, b.data(), std::ssize(a)); }
  static void add(double factor, const Vector& a, Vector& b) {
    kernels::axpy(factor, a.data(), 0.0, b.data(), std::ssize(a));
  }

  // Gram and Schmidt, with the largest rest first; all are basis where two of them do not spare a third.
  void choose(const Vector& tolerances) {
    const auto count = static_cast<Index>(rests_.size());
    while (std::ssize(list_) < count) {
      Index next = -1;
      double largest = -1.0;
      Index n_spared = 0;
      for (Index v = 0; v < count; ++v) {
        if (std::ranges::find(list_, v) != list_.end()) continue;
        const double rest = norm(rests_[v]);
        const double excess = rest > tolerances[v] ? rest / tolerances[v] : 0.0;
        n_spared += excess == 0.0 ? 1 : 0;
        if (excess <= largest) continue;
        largest = excess;
        next = v;
      }
      if (largest == 0.0 && !list_.empty()) return;
      if (std::ssize(list_) == 2 && n_spared == 0) {
        list_ = all();
        return;
      }
      take(next);
    }
  }

  std::vector<Index> all() const {
    std::vector<Index> places(rests_.size());
    std::iota(places.begin(), places.end(), 0);
    return places;
  }

  void take(Index member) {
    list_.push_back(member);
    Vector direction = rests_[member];
    const double length = norm(direction);
    for (double& value : direction) value /= length > 0.0 ? length : 1.0;
    for (std::size_t v = 0; v < rests_.size(); ++v) {
      const double part = dot(direction, rests_[v]);
      parts_[v].push_back(part);
      add(-part, direction, rests_[v]);
    }
  }

  void combine(Index v, const std::vector<Vector>& vectors) {
    Combination& found = combinations_[v];
    found.shares.assign(list_.size(), 0.0);
    const auto at = std::ranges::find(list_, v);
    if (at != list_.end()) {
      found.shares[at - list_.begin()] = 1.0;
      return;
    }
    found.shares = parts_[v];
    for (Index k = std::ssize(list_) - 1; k >= 0; --k) {  // the basis' own parts are triangular
      found.shares[k] = parts_[list_[k]][k] == 0.0 ? 0.0 : found.shares[k] / parts_[list_[k]][k];
      for (Index l = 0; l < k; ++l) found.shares[l] -= found.shares[k] * parts_[list_[k]][l];
    }
    Vector rest = vectors[v];
    constexpr double rounding = 1e-14;  // of sums of the basis' products, relative to their norms
    for (std::size_t k = 0; k < list_.size(); ++k) {
      add(-found.shares[k], vectors[list_[k]], rest);
      found.remainder += rounding * std::abs(found.shares[k]) * norms_[list_[k]];
    }
    constexpr double rounded_up = 1.0 + 1e-10;
    found.remainder += rounded_up * norm(rest);
  }

  std::vector<Index> list_;
  std::vector<Combination> combinations_;
  std::vector<Vector> rests_;  // of the residuals, beyond the basis
  std::vector<Vector> parts_;  // of the residuals, along the directions that the basis added
  Vector norms_;
};

}  // namespace normball
