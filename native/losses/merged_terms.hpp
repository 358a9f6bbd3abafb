// M'M of a coupling in fewer rows than M has: neighbours among the terms of a risk set's path hardly differ, and a
// model of the curvature need not know how. Each run of them is one row, along what M makes of ones, so that a number
// added to all of eta costs nothing still, and less is taken from diag(d) than is M's. (M37)
#pragma once

#include <algorithm>
#include <cmath>

#include "losses/loss.hpp"

namespace normball {

class MergedTerms {
 public:
  MergedTerms(const Coupling& coupling, Index n_rows, Index most)
      : coupling_(coupling), direction_(static_cast<std::size_t>(coupling.n_terms())) {
    const Index n = coupling.n_terms();
    const Vector ones(static_cast<std::size_t>(n_rows), 1.0);
    coupling.project(ones.data(), n_rows, 1, direction_.data());
    const Index count = std::min(n, most);
    for (Index g = 0; g <= count; ++g) ends_.push_back(count == 0 ? 0 : n * g / count);
    for (Index g = 0; g < count; ++g) {
      double square = 0.0;
      for (Index t = ends_[g]; t < ends_[g + 1]; ++t) square += direction_[t] * direction_[t];
      const double inverse = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
      for (Index t = ends_[g]; t < ends_[g + 1]; ++t) direction_[t] *= inverse;
    }
  }

  Index count() const { return std::ssize(ends_) - 1; }

  // as the coupling's own
  void project(const double* v, Index stride, Index n_vectors, double* out) const {
    const Index n = std::ssize(direction_);
    Vector terms(static_cast<std::size_t>(n_vectors * n));
    coupling_.project(v, stride, n_vectors, terms.data());
    for (const double* own = terms.data(); n_vectors > 0; --n_vectors, own += n) {
      for (Index g = 0; g < count(); ++g) {
        double sum = 0.0;
        for (Index t = ends_[g]; t < ends_[g + 1]; ++t) sum += direction_[t] * own[t];
        *out++ = sum;
      }
    }
  }

 private:
  const Coupling& coupling_;
  Vector direction_;         // of each run, of length 1
  std::vector<Index> ends_;  // of the runs, from 0 on
};

}  // namespace normball
