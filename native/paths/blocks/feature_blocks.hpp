// The features of one problem in the blocks of its penalty: a group, or a feature alone. A block has coordinates theta
// of its own, on the scale of the penalty: b = T theta in units of the data. Alone, T is 1 / scale; in orthonormal
// groups T'X'WX T = 1, so that |theta| is the standard deviation of what the group adds to eta (Simon & Tibshirani
// 2012). A coordinate has as many values as there are outputs. docs/mathematics.md (M29)
#pragma once

#include <functional>
#include <numeric>
#include <span>

#include "core/blas.hpp"
#include "kernels/kernels.hpp"
#include "penalties/group_term.hpp"
#include "problem/problem.hpp"

namespace normball {

class FeatureBlocks {
 public:
  // of some columns, under the problem's weights: about their means where there is an intercept; the upper triangle
  using Covariances = std::function<Vector(const std::vector<Index>& members)>;

  FeatureBlocks(const Design& design, const Problem& problem, Threads& threads)
      : FeatureBlocks(problem, [&](const std::vector<Index>& members) {
          return covariances_of(design, problem, members, threads);
        }) {}

  FeatureBlocks(const Problem& problem, const Covariances& covariances) : spec_(*problem.spec), problem_(problem) {
    std::vector<std::uint8_t> is_taken(static_cast<std::size_t>(spec_.n_features), 0);
    const FeatureGroups& groups = spec_.groups;
    std::vector<std::vector<Index>> members(groups.weights.size());
    for (std::size_t j = 0; j < groups.of_feature.size(); ++j) {
      const std::int32_t g = groups.of_feature[j];
      if (g >= 0 && !problem.is_excluded(static_cast<Index>(j))) members[g].push_back(static_cast<Index>(j));
    }
    for (Index j = 0; j < spec_.n_features; ++j) {
      if (problem.is_excluded(j) || is_taken[j] != 0) continue;
      const std::int32_t g = groups.of_feature.empty() ? -1 : groups.of_feature[j];
      if (g < 0) {
        add({&j, 1}, {1.0 / problem.scaling.scale[j]}, problem.penalty.factor(j), false);
      } else {
        for (const Index member : members[g]) is_taken[member] = 1;
        add_group(members[g], groups.weights[g], covariances);
      }
    }
  }

  Index size() const { return std::ssize(blocks_); }
  Index n_outputs() const { return spec_.n_outputs; }
  std::span<const Index> features(Index b) const { return {features_.data() + blocks_[b].first, width(b)}; }
  Index n_coordinates(Index b) const { return blocks_[b].n_coordinates; }
  Index n_values(Index b) const { return n_coordinates(b) * n_outputs(); }
  bool is_free(Index b) const { return blocks_[b].norm_factor == 0.0 && blocks_[b].own_factor == 0.0; }

  // Whether the penalty takes the values of a block together. If not, each output of a block of one feature stands
  // alone, and those of a group are a block each.
  bool joins_outputs() const { return spec_.is_grouped; }
  bool joins_values() const { return joins_outputs() || !spec_.groups.weights.empty(); }  // of some block
  bool is_single(Index b) const { return !joins_outputs() && !blocks_[b].is_group; }
  Index n_parts() const { return joins_outputs() ? 1 : n_outputs(); }
  Index part_size(Index b) const { return joins_outputs() ? n_values(b) : n_coordinates(b); }

  ElasticNet single_term(Index b, double lambda) const {
    const Index j = features_[blocks_[b].first];
    return problem_.penalty.term(j, lambda, problem_.scaling.scale[j]);
  }
  GroupTerm group_term(Index b, double lambda) const {
    if (is_free(b)) return {};
    const double l1_ratio = problem_.penalty.l1_ratio();
    return {.l1 = lambda * l1_ratio * blocks_[b].own_factor,
            .group = lambda * l1_ratio * blocks_[b].norm_factor,
            .l2 = lambda * (1.0 - l1_ratio) * (blocks_[b].norm_factor + blocks_[b].own_factor)};
  }
  // what a gradient at zero asks lambda to be, before the mix
  double strength_asked(Index b, const double* gradient) const {
    if (is_free(b)) return 0.0;
    if (is_single(b)) {
      double most = 0.0;
      for (Index k = 0; k < n_outputs(); ++k) {
        most = std::max(most, problem_.penalty.strength_asked(features_[blocks_[b].first], gradient[k]));
      }
      return most;
    }
    double most = 0.0;
    for (Index part = 0; part < n_parts(); ++part) {
      most = std::max(most, GroupTerm::strength_asked(gradient + part * part_size(b), part_size(b),
                                                      blocks_[b].own_factor, blocks_[b].norm_factor));
    }
    return most;
  }

  // the same from the products of all features with each output
  double strength_asked(Index b, const Vector& products) const {
    if (is_free(b)) return 0.0;
    const Block& block = blocks_[b];
    if (block.is_group) {
      Vector gradient;
      set_gradient(b, products, gradient);
      return strength_asked(b, gradient.data());
    }
    const Index j = features_[block.first];
    const double unit = transforms_[block.first_transform];
    const double* product = products.data() + j;
    double size = 0.0;
    for (Index k = 0; k < n_outputs(); ++k, product += spec_.n_features) {
      if (joins_outputs()) {
        size += *product * *product;
      } else {
        size = std::max(size, problem_.penalty.holds(j, *product) ? 0.0 : std::abs(*product));
      }
    }
    return unit * (joins_outputs() ? std::sqrt(size) : size) / (block.norm_factor + block.own_factor);
  }

  // By how much more it may ask after a change of the residuals whose weighted length is 1: the largest length of its
  // columns about the design's centre, over its factors, since |S(z, t)| <= |z| - t for z beyond t.
  double reach(Index b) const {
    const Block& block = blocks_[b];
    double squares = block.is_group && spec_.groups.is_orthonormal ? 1.0 : 0.0;
    for (Index c = 0; c < block.n_coordinates; ++c) {
      double shift = 0.0;
      for (std::size_t m = 0; m < width(b); ++m) {
        const Index j = features_[block.first + static_cast<Index>(m)];
        shift += transform(b, c, m) * problem_.scaling.shift[j];
      }
      squares += shift * shift;
    }
    for (const Index j : features(b)) {
      const double norm = problem_.scaling.norm[j];
      if (!block.is_group || !spec_.groups.is_orthonormal) squares += norm * norm;
    }
    return (1.0 + 1e-8) * std::sqrt(squares) / (block.norm_factor + block.own_factor);
  }

  // of a block, from the products of all features with each output
  void set_gradient(Index b, const Vector& products, Vector& out) const {
    out.resize(static_cast<std::size_t>(n_values(b)));
    Vector own(width(b));
    for (Index k = 0; k < n_outputs(); ++k) {
      const double* of_output = products.data() + k * spec_.n_features;
      std::ranges::transform(features(b), own.begin(), [&](Index j) { return of_output[j]; });
      to_gradient(b, own.data(), out.data() + k * n_coordinates(b));
    }
  }

  // Values of a block lie output by output, coordinate by coordinate. Of one output, from the products with the block's
  // features in their order:
  void to_gradient(Index b, const double* products, double* gradient) const {
    const Block& block = blocks_[b];
    const double* transform = transforms_.data() + block.first_transform;
    for (Index c = 0; c < block.n_coordinates; ++c) {
      gradient[c] = 0.0;
      for (Index m = 0; m < block.n_features; ++m) gradient[c] += transform[c * block.n_features + m] * products[m];
    }
  }
  // and the coefficients, in units of the data
  void to_raw(Index b, const double* theta, double* raw) const {
    const Block& block = blocks_[b];
    const double* transform = transforms_.data() + block.first_transform;
    std::fill_n(raw, block.n_features, 0.0);
    for (Index c = 0; c < block.n_coordinates; ++c) {
      for (Index m = 0; m < block.n_features; ++m) raw[m] += transform[c * block.n_features + m] * theta[c];
    }
  }
  double transform(Index b, Index coordinate, std::size_t member) const {
    return transforms_[blocks_[b].first_transform + coordinate * blocks_[b].n_features + static_cast<Index>(member)];
  }

 private:
  struct Block {
    Index first;  // of its features
    Index n_features;
    Index n_coordinates;
    Index first_transform;  // n_features x n_coordinates, column-major
    double norm_factor;     // of the norm of its values
    double own_factor;      // of each value by itself
    bool is_group;
  };

  std::size_t width(Index b) const { return static_cast<std::size_t>(blocks_[b].n_features); }

  void add(std::span<const Index> features, const Vector& transform, double factor, bool is_group,
           double weight = 1.0) {
    const auto width = std::ssize(features);
    const double ratio = is_group ? spec_.groups.ratio : 1.0;
    blocks_.push_back({.first = std::ssize(features_),
                       .n_features = width,
                       .n_coordinates = std::ssize(transform) / width,
                       .first_transform = std::ssize(transforms_),
                       .norm_factor = factor * ratio * weight,
                       .own_factor = factor * (1.0 - ratio),
                       .is_group = is_group});
    features_.insert(features_.end(), features.begin(), features.end());
    transforms_.insert(transforms_.end(), transform.begin(), transform.end());
  }

  void add_group(const std::vector<Index>& members, double weight, const Covariances& covariances) {
    Vector transform;
    if (spec_.groups.is_orthonormal) {
      transform = orthonormal(std::ssize(members), covariances(members));
    } else {
      transform.assign(members.size() * members.size(), 0.0);
      for (std::size_t m = 0; m < members.size(); ++m) {
        transform[m * members.size() + m] = 1.0 / problem_.scaling.scale[members[m]];
      }
    }
    const double size = static_cast<double>(transform.size()) / static_cast<double>(members.size());
    add(members, transform, problem_.penalty.factor(members[0]), true, std::isnan(weight) ? std::sqrt(size) : weight);
  }

  static Vector covariances_of(const Design& design, const Problem& problem, const std::vector<Index>& members,
                               Threads& threads) {
    const auto m = std::ssize(members);
    Vector gram(static_cast<std::size_t>(m * m), 0.0);
    Vector sums(members.size(), 0.0);
    design.add_gram({.columns = {.list = members.data(), .count = m},
                     .first_new = 0,
                     .d = problem.weights.data(),
                     .out = gram.data(),
                     .stride = m,
                     .sums = sums.data()},
                    threads);
    for (Index c = 0; c < m && problem.spec->fit_intercept; ++c) {
      for (Index a = 0; a <= c; ++a) gram[c * m + a] -= sums[a] * sums[c];
    }
    return gram;
  }

  // From the eigenvectors of the correlations; directions in which the columns depend on one another are left out, so
  // that the coding of a category does not matter.
  static Vector orthonormal(Index m, const Vector& covariance) {
    Vector size(static_cast<std::size_t>(m));
    for (Index a = 0; a < m; ++a) size[a] = std::sqrt(covariance[a * m + a]);
    Vector vectors(covariance.size());
    for (Index c = 0; c < m; ++c) {
      for (Index a = 0; a <= c; ++a) vectors[c * m + a] = covariance[c * m + a] / (size[a] * size[c]);
    }
    Vector values;
    linalg::eigen(m, vectors.data(), values);
    Vector transform;
    for (Index c = m; c-- > 0;) {
      if (values[c] <= 1e-10 * values[m - 1]) break;
      for (Index a = 0; a < m; ++a) transform.push_back(vectors[c * m + a] / (size[a] * std::sqrt(values[c])));
    }
    return transform;
  }

  const Specification& spec_;
  const Problem& problem_;
  std::vector<Block> blocks_;
  std::vector<Index> features_;
  Vector transforms_;
};

}  // namespace normball
