// The Cholesky factor of H restricted to an active set that gains and loses a few coordinates at a time. Entering
// coordinates are appended in one block; a leaving one is rotated out (Golub & Van Loan 2013, section 6.5.3), so that
// a change costs |A|^2 where a new factor would cost |A|^3 / 3.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "core/blas.hpp"

namespace normball {

class ActiveFactor {
 public:
  Index size() const { return static_cast<Index>(order_.size()); }
  const std::vector<Index>& order() const { return order_; }
  const Vector& diagonal() const { return diagonal_; }  // of H plus its ridge, in that order

  void clear() {
    order_.clear();
    diagonal_.clear();
  }

  // entry(a, b) of H plus its ridge, for the coordinates of `entering` against all that are in; has_kink(a): whether
  // coordinate a stops somewhere on its way
  template <class Entry, class HasKink>
  void append(std::span<const Index> entering, const Entry& entry, const HasKink& has_kink) {
    if (entering.empty()) return;
    const Index old = first_dependent();  // what a floored pivot says of later columns is rounding, blown up
    order_.insert(order_.end(), entering.begin(), entering.end());
    const Index fresh = size() - old;
    reserve(size(), old);
    diagonal_.resize(order_.size());
    put_complement(old, entry);
    if (linalg::cholesky(fresh, column(old) + old, stride_) && first_dependent() == size()) return;
    put_complement(old, entry);
    factorise_pivoted(old, has_kink);
  }

  void remove(Index position) {
    const Index last = size() - 1;
    order_.erase(order_.begin() + position);
    diagonal_.erase(diagonal_.begin() + position);
    std::vector<std::pair<double, double>> rotations;
    for (Index c = position; c < last; ++c) {
      const double* from = column(c + 1);
      double* to = column(c);
      std::copy_n(from, position, to);
      double carried = from[position];
      for (Index k = position; k < c; ++k) {  // earlier rotations act on rows k, k + 1
        const auto [cosine, sine] = rotations[k - position];
        const double below = from[k + 1];
        to[k] = cosine * carried + sine * below;
        carried = cosine * below - sine * carried;
      }
      const double below = from[c + 1];
      const double length = std::hypot(carried, below);
      rotations.emplace_back(carried / length, below / length);
      to[c] = length;
    }
  }

  // b, in the order of the set, becomes H^-1 b
  void solve(double* b) const {
    if (!order_.empty()) linalg::cholesky_solve(size(), factor_.get(), stride_, b);
  }

  template <class Rename>
  void rename(const Rename& rename) {
    for (Index& j : order_) j = rename(j);
  }

 private:
  double* column(Index c) { return factor_.get() + c * stride_; }

  void reserve(Index wanted, Index n_kept) {
    if (wanted <= stride_) return;
    const Index stride = std::max(wanted, stride_ + stride_ / 2 + 8);
    Buffer wider = make_buffer(stride * stride);
    for (Index c = 0; c < n_kept; ++c) std::copy_n(column(c), c + 1, wider.get() + c * stride);
    factor_ = std::move(wider);
    stride_ = stride;
  }

  // The columns from `old` on: their part of the factor above, and below it the Schur complement of their block.
  template <class Entry>
  void put_complement(Index old, const Entry& entry) {
    const Index fresh = size() - old;
    for (Index c = old; c < size(); ++c) {
      for (Index r = 0; r <= c; ++r) column(c)[r] = entry(order_[r], order_[c]);
      diagonal_[c] = column(c)[c];
    }
    linalg::solve_transposed(old, fresh, factor_.get(), stride_, column(old), stride_);
    if (old > 0) linalg::add_at_a(fresh, old, -1.0, column(old), stride_, column(old) + old, stride_);
  }

  Index first_dependent() {
    Index c = 0;
    while (c < size() && column(c)[c] * column(c)[c] > singular * diagonal_[c]) ++c;
    return c;
  }

  // The block from `old` on, from its Schur complement, with pivots in order of size: coordinates that depend on the
  // others (copies of a column, more coordinates than rows) come last. With a floor under its pivot such a coordinate
  // moves along the null space until it or another one meets a kink and leaves. Without a kink nothing would stop it:
  // a pivot beyond all measure holds it where it is.
  template <class HasKink>
  void factorise_pivoted(Index old, const HasKink& has_kink) {
    const Index fresh = size() - old;
    Vector root;
    for (Index c = 0; c < fresh; ++c) root.push_back(std::sqrt(diagonal_[old + c]));
    Vector block(static_cast<std::size_t>(fresh * fresh), 0.0);
    for (Index c = 0; c < fresh; ++c) {
      for (Index r = 0; r <= c; ++r) block[c * fresh + r] = column(old + c)[old + r] / (root[r] * root[c]);
    }
    std::vector<int> places;
    const Index rank = linalg::pivoted_cholesky(fresh, block.data(), singular, places);
    const std::vector<Index> order(order_.begin() + old, order_.end());
    const Vector diagonal(diagonal_.begin() + old, diagonal_.end());
    Vector above(static_cast<std::size_t>(old * fresh));
    for (Index c = 0; c < fresh; ++c) std::copy_n(column(old + c), old, above.begin() + c * old);
    for (Index c = 0; c < fresh; ++c) {
      const Index from = places[c];
      order_[old + c] = order[from];
      diagonal_[old + c] = diagonal[from];
      double* target = column(old + c);
      std::copy_n(above.begin() + from * old, old, target);
      for (Index r = 0; r <= c; ++r) target[old + r] = r < rank ? root[from] * block[c * fresh + r] : 0.0;
      if (c < rank) continue;
      target[old + c] = root[from] * std::sqrt(has_kink(order[from]) ? floor : 1e100);
    }
  }

  static constexpr double singular = 1e-12;        // of a squared pivot, relative to its diagonal entry
  static constexpr double floor = 0.3 * singular;  // so that the sum of two, after a rotation, is one still

  Buffer factor_;  // upper triangle, column-major
  Index stride_ = 0;
  std::vector<Index> order_;
  Vector diagonal_;
};

}  // namespace normball
