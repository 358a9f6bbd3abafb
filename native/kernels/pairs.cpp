#include "kernels/pairs.hpp"

#include <algorithm>

namespace normball::kernels {
namespace {

std::size_t lowest_bit(std::size_t number) { return number & (~number + 1); }

// Running sums over places by a binary tree that lies in an array (Fenwick 1994).
class RunningSums {
 public:
  RunningSums(Index n_places, Index width)
      : n_places_(static_cast<std::size_t>(n_places)),
        width_(static_cast<std::size_t>(width)),
        tree_((n_places_ + 1) * width_, 0.0) {}

  void clear() { std::ranges::fill(tree_, 0.0); }
  void add(Index place, const double* values) {
    for (auto node = static_cast<std::size_t>(place) + 1; node <= n_places_; node += lowest_bit(node)) {
      for (std::size_t w = 0; w < width_; ++w) tree_[node * width_ + w] += values[w];
    }
  }
  // out += worth times what lies before a place
  void add_before(Index place, const double* worth, double* out) const {
    for (auto node = static_cast<std::size_t>(place); node > 0; node -= lowest_bit(node)) {
      for (std::size_t w = 0; w < width_; ++w) out[w] += worth[w] * tree_[node * width_ + w];
    }
  }

 private:
  std::size_t n_places_;
  std::size_t width_;
  Vector tree_;
};

bool is_nothing(const double* values, Index width) {
  return std::all_of(values, values + width, [](double value) { return value == 0.0; });
}

}  // namespace

void add_pairs(const Moments& moments, double* sums) {
  const auto& [count, width, group, place, n_places, present, worth] = moments;
  RunningSums upwards(n_places, width);  // two of them, so that nothing is the difference of two sums
  RunningSums downwards(n_places, width);
  Vector at_place(static_cast<std::size_t>(n_places * width), 0.0);
  for (Index i = count - 1; i >= 0; --i) {
    if (i + 1 < count && group[i] != group[i + 1]) {
      upwards.clear();
      downwards.clear();
      std::ranges::fill(at_place, 0.0);
    }
    const Index mirrored = n_places - 1 - place[i];
    double* same = at_place.data() + place[i] * width;
    const double* asked = worth + i * width;
    if (!is_nothing(asked, width)) {
      upwards.add_before(place[i], asked, sums);
      downwards.add_before(mirrored, asked, sums + width);
      for (Index w = 0; w < width; ++w) sums[2 * width + w] += asked[w] * same[w];
    }
    const double* joining = present + i * width;
    if (is_nothing(joining, width)) continue;
    upwards.add(place[i], joining);
    downwards.add(mirrored, joining);
    for (Index w = 0; w < width; ++w) same[w] += joining[w];
  }
}

}  // namespace normball::kernels
