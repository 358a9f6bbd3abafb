// The blocks outside a set, which gradients hold at zero. A gradient moves by no more than the length of its columns
// times that of the residual's change (Cauchy-Schwarz), so that those which were far from their threshold at an earlier
// read need none.
#pragma once

#include "paths/blocks/block_state.hpp"

namespace normball {

class Outside {
 public:
  Outside(const Design& design, const Problem& problem, const FeatureBlocks& blocks, Threads& threads)
      : design_(design), problem_(problem), blocks_(blocks), threads_(threads) {
    for (Index b = 0; b < blocks.size(); ++b) reach_.push_back(blocks.is_free(b) ? 0.0 : blocks.reach(b));
  }

  // Gradients of the residuals, and of the dual point where it is asked for, of all blocks that may ask for more than
  // `least`, a lambda before the mix.
  void read(const BlockState& at, double least, bool with_dual = false) {
    with_dual = with_dual && at.has_dual();
    std::vector<Index> outside;
    for (Index b = 0; b < blocks_.size(); ++b) {
      if (!at.holds(b)) outside.push_back(b);
    }
    double moved = infinity;
    if (!read_residual_.empty()) {
      moved = distance(at.residual());
      if (with_dual) moved = std::max(moved, distance(at.dual()));
    }
    asked_ = read_asked_;
    asked_.resize(reach_.size(), infinity);
    std::vector<Index> near;
    Index n_near = 0;
    Index n_outside = 0;
    for (const Index b : outside) {
      if (moved > 0.0) asked_[b] += reach_[b] * moved;
      n_outside += std::ssize(blocks_.features(b));
      if (asked_[b] <= least) continue;
      near.push_back(b);
      n_near += std::ssize(blocks_.features(b));
    }
    const bool reads_all = static_cast<double>(n_near) >= most_near * static_cast<double>(n_outside);
    read_ = reads_all ? std::move(outside) : std::move(near);
    multiply(at.residuals(), gradient_);
    for (const Index b : read_) asked_[b] = blocks_.strength_asked(b, gradient_);
    dual_asked_.clear();
    if (with_dual) {
      multiply(at.duals(), dual_gradient_);
      for (const Index b : read_) dual_asked_.push_back(blocks_.strength_asked(b, dual_gradient_));
    }
    if (!reads_all) return;
    read_asked_ = asked_;
    read_residual_ = at.residual();
  }

  // visit(b, gradient) of the blocks whose gradient, of the residuals or of the dual point, asks for `least` or more
  template <class Visit>
  void for_each_read(double least, bool of_dual, const Visit& visit) const {
    Vector gradient;
    for (std::size_t i = 0; i < read_.size(); ++i) {
      if ((of_dual ? dual_asked_[i] : asked_[read_[i]]) < (1.0 - 1e-9) * least) continue;
      blocks_.set_gradient(read_[i], of_dual ? dual_gradient_ : gradient_, gradient);
      visit(read_[i], gradient);
    }
  }
  double reads() const { return static_cast<double>(entries_read_) / static_cast<double>(design_.n_cols); }

  // visits all that may ask for more than `least`, at the residuals that were read last
  template <class Visit>
  void for_each_asking(double least, const Visit& visit) const {
    for (Index b = 0; b < blocks_.size(); ++b) {
      if (least <= 0.0 || asked_[b] > least) visit(b);
    }
  }

 private:
  static constexpr double most_near = 0.4;  // of the features: then all are read, and bounds begin anew

  // of vectors over the rows from the residuals that bounds go by: as long as a column of length 1 can tell
  double distance(const Vector& vectors) const {
    const Index n = design_.n_rows;
    double joined = 0.0;
    double largest = 0.0;
    for (Index k = 0; k < blocks_.n_outputs(); ++k) {
      double sum = 0.0;
      for (Index i = 0; i < n; ++i) {
        const double change = vectors[k * n + i] - read_residual_[k * n + i];
        if (change != 0.0) sum += change * (change / problem_.weights[i]);
      }
      joined += sum;
      largest = std::max(largest, sum);
    }
    return (1.0 + 1e-10) * std::sqrt(blocks_.joins_outputs() ? joined : largest);
  }

  // products with the columns of read_, where they stand among all
  void multiply(const std::vector<const double*>& vectors, Vector& out) {
    std::vector<Index> features;
    for (const Index b : read_) {
      features.insert(features.end(), blocks_.features(b).begin(), blocks_.features(b).end());
    }
    const auto count = std::ssize(features);
    const Index p = design_.n_cols;
    const auto n_vectors = std::ssize(vectors);
    out.resize(static_cast<std::size_t>(p * n_vectors));
    if (count == 0) return;
    products_.resize(static_cast<std::size_t>(count * n_vectors));
    std::vector<double*> to;
    to.reserve(vectors.size());
    for (Index k = 0; k < n_vectors; ++k) to.push_back(products_.data() + k * count);
    design_.sweep({.columns = {.list = features.data(), .count = count},
                   .n_vectors = n_vectors,
                   .vectors = vectors.data(),
                   .out = to.data()},
                  threads_);
    for (Index k = 0; k < n_vectors; ++k) {
      for (Index i = 0; i < count; ++i) out[k * p + features[i]] = to[k][i];
    }
    entries_read_ += count;
  }

  const Design& design_;
  const Problem& problem_;
  const FeatureBlocks& blocks_;
  Threads& threads_;
  Vector reach_;       // by how much more a block may ask after a change of length 1
  Vector asked_;       // of each block at the residuals read last, or a bound on it
  Vector read_asked_;  // where all were read last
  Vector read_residual_;
  std::vector<Index> read_;
  Vector gradient_;  // of the features of read_, by their place among all, as the next one
  Vector dual_gradient_;
  Vector dual_asked_;  // of the blocks of read_
  Vector products_;
  Index entries_read_ = 0;
};

}  // namespace normball
