// What the path in p-space knows of each problem, from sums over its rows about some centre. (M11)
#pragma once

#include <memory>

#include "problem/problem.hpp"

namespace normball {

// What problems with the same weights share.
struct SharedGram {
  Vector gram;         // p x p, standardised
  Vector eigenvalues;  // where ridge wants them; their eigenvectors then stand in `gram`
};

struct Summary {
  std::shared_ptr<SharedGram> shared;
  Vector product;         // X'(y - o), centred and standardised; one target after the other
  Vector means;           // of y - o
  double variance = 0.0;  // of y - o, of all targets
};

class Summaries {
 public:
  Summaries(const Specification& spec, std::vector<Problem>& problems, double mean_noise)
      : spec_(spec), problems_(problems), mean_noise_(mean_noise), list_(problems.size()) {}

  std::vector<Summary> take() { return std::move(list_); }

  // of the targets: their means, and their variance about the intercepts of the null model
  void set_targets(std::size_t k, Vector means, double variance) {
    problems_[k].null_intercept = spec_.fit_intercept ? means[0] : 0.0;
    list_[k].means = std::move(means);
    list_[k].variance = variance;
  }

  // Means, scales, Gram and products of problems that share their weights, from their sums about `own` centre; `common`
  // is the one of all problems. `sum` has the products with all targets, or with those of a single problem.
  void set_columns(const std::vector<std::size_t>& members, double total, RowMoments sum, const Vector& own,
                   const Vector& common) {
    const auto p = static_cast<std::size_t>(spec_.n_features);
    Scaling& first = problems_[members[0]].scaling;
    first.shift.resize(p);
    first.scale.resize(p);
    for (std::size_t j = 0; j < p; ++j) {
      first.shift[j] = sum.products[j] / total;
      const double square = sum.gram[j * p + j] / total;
      const double variance = square - first.shift[j] * first.shift[j];
      const bool is_constant =
          (spec_.fit_intercept || spec_.standardize) && variance <= variance_noise(mean_noise_, square, own[j]);
      first.scale[j] = is_constant ? 0.0 : (spec_.standardize ? std::sqrt(variance) : 1.0);
    }
    const auto n_targets = static_cast<std::size_t>(spec_.n_outputs);
    const bool is_own = spec_.responses.is_shared() || sum.products.size() == (1 + n_targets) * p;
    for (const std::size_t k : members) {
      Problem& problem = problems_[k];
      problem.scaling = first;
      const double* raw = sum.products.data() + p * (is_own ? 1 : 1 + n_targets * k);
      list_[k].product.clear();
      for (const double mean : list_[k].means) {
        for (std::size_t j = 0; j < p; ++j) {
          double product = *raw++ / total - first.shift[j] * mean;
          if (!spec_.fit_intercept) product += (own[j] + first.shift[j]) * mean;
          list_[k].product.push_back(first.scale[j] > 0.0 ? product / first.scale[j] : 0.0);
        }
      }
    }
    auto shared = std::make_shared<SharedGram>();
    shared->gram = std::move(sum.gram);
    standardise(first, total, own, shared->gram.data());
    for (const std::size_t k : members) {
      list_[k].shared = shared;
      for (std::size_t j = 0; j < p; ++j) problems_[k].scaling.shift[j] += own[j] - common[j];
    }
  }

 private:
  void standardise(const Scaling& scaling, double total, const Vector& centre, double* gram) const {
    const Index p = spec_.n_features;
    const Vector& shift = scaling.shift;
    const Vector& scale = scaling.scale;
    Vector mean(static_cast<std::size_t>(p), 0.0);
    if (!spec_.fit_intercept) {
      for (Index j = 0; j < p; ++j) mean[j] = centre[j] + shift[j];
    }
    for (Index b = 0; b < p; ++b) {
      for (Index a = 0; a <= b; ++a) {
        const double product = scale[a] * scale[b];
        const double raw = gram[b * p + a] / total - shift[a] * shift[b] + mean[a] * mean[b];
        gram[b * p + a] = gram[a * p + b] = product > 0.0 ? raw / product : 0.0;
      }
    }
  }

  const Specification& spec_;
  std::vector<Problem>& problems_;
  double mean_noise_;
  std::vector<Summary> list_;
};

}  // namespace normball
