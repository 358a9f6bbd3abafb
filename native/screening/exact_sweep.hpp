// Exact products in the shape of a screen, for designs that have none that is cheaper: vectors that are combinations
// of few still share these.
#pragma once

#include <vector>

#include "design/design.hpp"
#include "screening/slack.hpp"

namespace normball {

class ExactSweep {
 public:
  using Vectors = std::vector<const double*>;

  static constexpr double share = 1.0;  // of X that is read

  explicit ExactSweep(const Design& design) : design_(design) {}

  // as much as stays in cache with its products
  static Index chunk(Index /*n_features*/) { return 256; }

  Vectors take(const std::vector<const double*>& vectors, Threads& /*threads*/) const { return vectors; }

  template <class Visit>
  void multiply(const Vectors& vectors, Index first, Index count, const Visit& visit) const {
    Vector products(vectors.size() * static_cast<std::size_t>(count));
    std::vector<double*> out(vectors.size());
    for (std::size_t v = 0; v < out.size(); ++v) out[v] = products.data() + static_cast<Index>(v) * count;
    Threads alone(1);
    design_.sweep({.columns = {.list = nullptr, .count = count, .first = first},
                   .n_vectors = std::ssize(vectors),
                   .vectors = vectors.data(),
                   .out = out.data()},
                  alone);
    for (std::size_t v = 0; v < vectors.size(); ++v) visit(static_cast<Index>(v), out[v]);
  }

  static const double* missed() { return nullptr; }
  static const double* held() { return nullptr; }
  static Slack slack(const Vectors& /*vectors*/, Index /*v*/) { return {}; }

 private:
  const Design& design_;
};

}  // namespace normball
