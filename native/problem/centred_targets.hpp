// A location family sees responses and offset through their difference alone, and the intercept takes up its middle:
// with both taken out beforehand a constant in either costs the sums no digits. Several outputs stand one after the
// other.
#pragma once

#include <algorithm>
#include <numeric>

#include "problem/specification.hpp"

namespace normball {

class CentredTargets {
 public:
  // at their means, or at their medians where some may lie arbitrarily far off
  CentredTargets(const Specification& spec, bool is_robust)
      : zeros_(static_cast<std::size_t>(spec.n_rows), 0.0),
        origins_(static_cast<std::size_t>(spec.n_problems * spec.n_outputs), 0.0),
        negligible_(static_cast<std::size_t>(spec.n_problems), 0.0) {
    const Index n = spec.n_rows;
    const bool is_shared = spec.responses.is_shared() && spec.offsets.is_shared();
    stride_ = is_shared ? 0 : n * spec.n_outputs;
    values_.resize(static_cast<std::size_t>((is_shared ? 1 : spec.n_problems) * n * spec.n_outputs));
    for (Index k = 0; k < spec.n_problems; ++k) {
      for (Index o = 0; o < spec.n_outputs; ++o) centre(spec, k, o, is_robust);
    }
  }

  void put(Specification& spec) const {
    spec.responses = {.data = values_.data(), .stride = stride_};
    spec.offsets = {.data = zeros_.data()};
    spec.origins = origins_.data();
    spec.negligible_loss = negligible_.data();
  }

 private:
  static constexpr double digits = 1e-13;

  void centre(const Specification& spec, Index k, Index output, bool is_robust) {
    const Index n = spec.n_rows;
    const double* w = spec.weights + k * n;
    double* target = values_.data() + k * stride_ + output * n;
    double& origin = origins_[k * spec.n_outputs + output];
    double total = 0.0;
    for (Index i = 0; i < n; ++i) total += w[i];
    if (k == 0 || stride_ > 0) {
      for (Index i = 0; i < n; ++i) {
        const Index at = i * spec.n_outputs + output;
        target[i] = spec.responses.of(k)[at] - spec.offsets.of(k)[at];
      }
      if (spec.fit_intercept) {
        origin = is_robust ? median(target, w, total, n) : mean(target, w, total, n);
        for (Index i = 0; i < n; ++i) target[i] -= origin;
      }
    } else {
      origin = origins_[output];
    }
    // a response is known to its last digits only
    for (Index i = 0; i < n; ++i) {
      const double value = digits * (target[i] + origin);
      negligible_[k] += 0.5 * (w[i] / total) * value * value;
    }
  }

  static double mean(const double* target, const double* w, double total, Index n) {
    double mean = 0.0;
    for (Index i = 0; i < n; ++i) mean += (w[i] / total) * target[i];
    return mean;
  }

  static double median(const double* target, const double* w, double total, Index n) {
    std::vector<Index> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [target](Index i) { return target[i]; });
    double below = 0.0;
    for (const Index i : order) {
      below += w[i];
      if (2.0 * below >= total) return target[i];
    }
    return 0.0;
  }

  Index stride_ = 0;
  Vector values_;  // of each distinct response
  Vector zeros_;
  Vector origins_;
  Vector negligible_;
};

}  // namespace normball
