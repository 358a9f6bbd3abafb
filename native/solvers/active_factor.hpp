// The Cholesky factor of H restricted to an active set that gains and loses a few coordinates at a time. Entering
// coordinates are appended in one block; a leaving one is rotated out (Golub & Van Loan 2013, section 6.5.3), so that
// a change costs |A|^2 where a new factor would cost |A|^3 / 3.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "../blas.hpp"

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
    const Index old = has_floor() ? 0 : size();  // rows below a floored pivot would be rounding, blown up
    order_.insert(order_.end(), entering.begin(), entering.end());
    const Index fresh = size() - old;
    reserve(size(), old);
    diagonal_.resize(order_.size());
    for (Index c = old; c < size(); ++c) {
      for (Index r = 0; r <= c; ++r) column(c)[r] = entry(order_[r], order_[c]);
      diagonal_[c] = column(c)[c];
    }
    linalg::solve_transposed(old, fresh, factor_.data(), stride_, column(old), stride_);
    if (old > 0) linalg::add_at_a(fresh, old, -1.0, column(old), stride_, column(old) + old, stride_);
    Vector schur(static_cast<std::size_t>(fresh * fresh));  // the factorisation overwrites it even where it fails
    for (Index c = 0; c < fresh; ++c) std::copy_n(column(old + c) + old, c + 1, schur.begin() + c * fresh);
    if (linalg::cholesky(fresh, column(old) + old, stride_) && !has_floor()) return;
    for (Index c = 0; c < fresh; ++c) std::copy_n(schur.begin() + c * fresh, c + 1, column(old + c) + old);
    factorise_with_floor(old, has_kink);
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
    if (!order_.empty()) linalg::cholesky_solve(size(), factor_.data(), stride_, b);
  }

  template <class Rename>
  void rename(const Rename& rename) {
    for (Index& j : order_) j = rename(j);
  }

 private:
  double* column(Index c) { return factor_.data() + c * stride_; }

  void reserve(Index wanted, Index n_kept) {
    if (wanted <= stride_) return;
    const Index stride = std::max(wanted, stride_ + stride_ / 2 + 8);
    Vector wider(static_cast<std::size_t>(stride * stride));
    for (Index c = 0; c < n_kept; ++c) std::copy_n(column(c), c + 1, wider.begin() + c * stride);
    factor_ = std::move(wider);
    stride_ = stride;
  }

  bool is_floored(Index c) { return column(c)[c] * column(c)[c] <= singular * diagonal_[c]; }

  bool has_floor() {
    for (Index c = 0; c < size(); ++c) {
      if (is_floored(c)) return true;
    }
    return false;
  }

  // Column by column, with a floor under the pivots: a coordinate that depends on the others (a copy of a column, more
  // coordinates than rows) then moves along the null space until it or another one meets a kink and leaves. Without a
  // kink nothing would stop it: a pivot beyond all measure holds it where it is.
  template <class HasKink>
  void factorise_with_floor(Index old, const HasKink& has_kink) {
    for (Index c = old; c < size(); ++c) {
      double* target = column(c);
      for (Index r = old; r < c; ++r) {
        double value = target[r];
        for (Index k = old; k < r; ++k) value -= column(r)[k] * target[k];
        target[r] = is_floored(r) ? 0.0 : value / column(r)[r];
      }
      double square = target[c];
      for (Index k = old; k < c; ++k) square -= target[k] * target[k];
      const bool depends = square <= singular * diagonal_[c];
      target[c] = std::sqrt(!depends ? square : (has_kink(order_[c]) ? 0.99 * singular : 1e100) * diagonal_[c]);
    }
  }

  static constexpr double singular = 1e-12;  // of a squared pivot, relative to its diagonal entry

  Vector factor_;  // upper triangle, column-major
  Index stride_ = 0;
  std::vector<Index> order_;
  Vector diagonal_;
};

}  // namespace normball
