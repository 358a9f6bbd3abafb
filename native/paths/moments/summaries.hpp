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
  Vector product;         // X'(y - o), centred and standardised
  double variance = 0.0;  // of y - o
};

class Summaries {
 public:
  Summaries(const Specification& spec, std::vector<Problem>& problems, double mean_noise)
      : spec_(spec),
        problems_(problems),
        mean_noise_(mean_noise),
        target_means_(problems.size(), 0.0),
        list_(problems.size()) {}

  std::vector<Summary> take() { return std::move(list_); }

  // of the target: its mean, and its variance about the intercept of the null model
  void set_target(std::size_t k, double mean, double variance) {
    target_means_[k] = mean;
    list_[k].variance = variance;
    problems_[k].null_intercept = spec_.fit_intercept ? mean : 0.0;
  }

  // Means, scales, Gram and products of problems that share their weights, from their sums about `own` centre; `common`
  // is the one of all problems. `sum` has the products with all targets, or with the one of a single problem.
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
    const bool one_target = sum.products.size() == 2 * p;
    for (const std::size_t k : members) {
      Problem& problem = problems_[k];
      problem.scaling = first;
      const double* raw = sum.products.data() + p * (one_target || spec_.responses.is_shared() ? 1 : 1 + k);
      const double mean = target_means_[k];
      list_[k].product.resize(p);
      for (std::size_t j = 0; j < p; ++j) {
        double product = raw[j] / total - first.shift[j] * mean;
        if (!spec_.fit_intercept) product += (own[j] + first.shift[j]) * mean;
        list_[k].product[j] = first.scale[j] > 0.0 ? product / first.scale[j] : 0.0;
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
  Vector target_means_;  // per problem
  std::vector<Summary> list_;
};

}  // namespace normball
