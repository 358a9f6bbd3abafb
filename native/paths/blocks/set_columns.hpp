// The coordinates of some blocks as columns, and the curvature of the loss along them.
#pragma once

#include "paths/blocks/feature_blocks.hpp"

namespace normball {

// One value of the model: a coordinate of a set, for one output.
struct Value {
  Index column;
  Index output;
};

// Blocks of features and the intercept, whose coordinates are numbered in the order in which they joined.
class SetColumns {
 public:
  static constexpr Index intercept = -1;  // stands for a block: a column of ones, without penalty

  SetColumns(const Design& design, const FeatureBlocks& blocks) : design_(design), blocks_(blocks) {}

  void add(Index block) {
    first_.push_back(n_columns_);
    first_feature_.push_back(std::ssize(features_));
    list_.push_back(block);
    n_columns_ += block == intercept ? 1 : blocks_.n_coordinates(block);
    if (block == intercept) return;
    const std::span<const Index> features = blocks_.features(block);
    features_.insert(features_.end(), features.begin(), features.end());
  }

  Index size() const { return std::ssize(list_); }
  Index block(Index place) const { return list_[place]; }
  Index first(Index place) const { return first_[place]; }  // its first column
  Index width(Index place) const { return (place + 1 < size() ? first_[place + 1] : n_columns_) - first_[place]; }
  Index n_columns() const { return n_columns_; }
  const std::vector<Index>& features() const { return features_; }  // of all blocks, one after the other
  Index first_feature(Index place) const { return first_feature_[place]; }

  // visit(member, factor) of what a column is a sum of, by its place in the list of features; nothing for an intercept
  template <class Visit>
  void for_each_member(Index place, Index c, const Visit& visit) const {
    if (list_[place] == intercept) return;
    const auto count = static_cast<Index>(blocks_.features(list_[place]).size());
    for (Index m = 0; m < count; ++m) {
      visit(first_feature_[place] + m, blocks_.transform(list_[place], c, static_cast<std::size_t>(m)));
    }
  }

  // rows begin .. begin + count of the columns of some places, column-major
  void pack(const Design& design, Index first_place, Index last_place, Index begin, Index count, double* out,
            Index stride, Vector& raw) const {
    const Index from = first_feature_[first_place];
    const Index to = last_place < size() ? first_feature_[last_place] : std::ssize(features_);
    raw.resize(static_cast<std::size_t>((to - from) * stride));
    design.pack_rows({.list = features_.data() + from, .count = to - from}, begin, count, raw.data(), stride);
    for (Index place = first_place; place < last_place; ++place) {
      for (Index c = 0; c < width(place); ++c) {
        double* column = out + (first_[place] + c - first_[first_place]) * stride;
        std::fill_n(column, count, list_[place] == intercept ? 1.0 : 0.0);
        for_each_member(place, c, [&](Index member, double factor) {
          kernels::axpy(factor, raw.data() + (member - from) * stride, 0.0, column, count);
        });
      }
    }
  }

  // all rows of a column
  void read(Index place, Index c, Vector& out) const {
    out.assign(static_cast<std::size_t>(design_.n_rows), list_[place] == intercept ? 1.0 : 0.0);
    for_each_member(place, c, [&](Index member, double factor) {
      const double centre = factor * design_.stored_centre(features_[member]);
      for (double& value : out) value -= centre;
      normball::for_each_entry(design_, features_[member], [&](Index i, double x) { out[i] += factor * x; });
    });
  }

  // The same for stored entries, row by row: visits (row, column, value); not centred where a column is not full, as
  // `centres` tells.
  template <class Visit>
  void for_each_entry(const Visit& visit) const {
    for (Index place = 0; place < size(); ++place) {
      for (Index c = 0; c < width(place); ++c) {
        for_each_member(place, c, [&](Index member, double factor) {
          if (factor == 0.0) return;
          normball::for_each_entry(design_, features_[member],
                                   [&](Index i, double x) { visit(i, first_[place] + c, factor * x); });
        });
      }
    }
  }
  Vector centres() const {
    Vector found(static_cast<std::size_t>(n_columns_), 0.0);
    for (Index place = 0; place < size(); ++place) {
      for (Index c = 0; c < width(place); ++c) {
        for_each_member(place, c, [&](Index member, double factor) {
          found[first_[place] + c] += factor * design_.stored_centre(features_[member]);
        });
      }
    }
    return found;
  }

 private:
  const Design& design_;
  const FeatureBlocks& blocks_;
  std::vector<Index> list_;
  std::vector<Index> first_;
  std::vector<Index> first_feature_;
  std::vector<Index> features_;
  Index n_columns_ = 0;
};

}  // namespace normball
