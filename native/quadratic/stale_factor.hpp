// The Cholesky factor of a matrix that changes a little from one system to the next: it preconditions conjugate
// gradients (Nocedal & Wright 2006, 5.1) on the matrices that follow, until these have taken as long as a new one
// would. Rows may come and go as well: those that it does not know are taken for their diagonal, and each of them costs
// a step or two.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/blas.hpp"

namespace normball {

class StaleFactor {
 public:
  // a new factor, of rows and columns with these numbers; fill(out) writes the upper triangle; false where the matrix
  // is not positive definite
  template <class Fill>
  bool renew(const std::vector<Index>& numbers, const Fill& fill) {
    size_ = static_cast<Index>(numbers.size());
    factor_.resize(static_cast<std::size_t>(size_ * size_));
    fill(factor_.data());
    const bool is_definite = linalg::cholesky(size_, factor_.data(), size_);
    if (!is_definite) size_ = 0;
    places_.clear();
    for (Index c = 0; c < size_; ++c) {
      const auto number = static_cast<std::size_t>(numbers[c]);
      if (number >= places_.size()) places_.resize(number + 1, -1);
      places_[number] = c;
    }
    n_steps_ = 0;
    return is_definite;
  }

  // x, of this factor's own matrix; b before
  void solve(double* x) const { linalg::cholesky_solve(size_, factor_.data(), size_, x); }

  // Of a matrix near by: x such that no entry of b - matrix x exceeds `enough`; false where a new factor is cheaper.
  // multiply(x, y) writes matrix x to y.
  template <class Multiply>
  bool solve_nearby(const std::vector<Index>& numbers, const Vector& diagonal, const Multiply& multiply,
                    const Vector& b, double enough, Vector& x) {
    const std::size_t n = numbers.size();
    x.assign(n, 0.0);
    if (size_ == 0) return false;
    residual_ = b;
    image_.resize(n);
    search_.assign(n, 0.0);
    double last = 1.0;
    for (int step = 0;; ++step) {
      double largest = 0.0;
      for (const double one : residual_) largest = std::max(largest, std::abs(one));
      if (largest <= enough) return true;
      if (static_cast<double>(++n_steps_) > worth_steps(n)) return false;
      precondition(numbers, diagonal);
      const double now = product(residual_, solution_);
      for (std::size_t c = 0; c < n; ++c) search_[c] = solution_[c] + (step > 0 ? now / last : 0.0) * search_[c];
      multiply(search_.data(), image_.data());
      const double curvature = product(search_, image_);
      if (!(now > 0.0 && curvature > 0.0)) return false;
      last = now;
      for (std::size_t c = 0; c < n; ++c) {
        x[c] += now / curvature * search_[c];
        residual_[c] -= now / curvature * image_[c];
      }
    }
  }

 private:
  // as many as take the time of a new factor
  static double worth_steps(std::size_t n) { return 3.0 + static_cast<double>(n) / 60.0; }

  static double product(const Vector& x, const Vector& y) {
    double sum = 0.0;
    for (std::size_t c = 0; c < x.size(); ++c) sum += x[c] * y[c];
    return sum;
  }

  Index place(Index number) const {
    const auto at = static_cast<std::size_t>(number);
    return at < places_.size() ? places_[at] : -1;
  }

  void precondition(const std::vector<Index>& numbers, const Vector& diagonal) {
    known_.assign(static_cast<std::size_t>(size_), 0.0);
    solution_.resize(numbers.size());
    for (std::size_t c = 0; c < numbers.size(); ++c) {
      if (const Index at = place(numbers[c]); at >= 0) known_[at] = residual_[c];
    }
    solve(known_.data());
    for (std::size_t c = 0; c < numbers.size(); ++c) {
      const Index at = place(numbers[c]);
      solution_[c] = at >= 0 ? known_[at] : residual_[c] / diagonal[c];
    }
  }

  Index size_ = 0;
  Vector factor_;
  std::vector<Index> places_;  // of each number in the factor, -1 where it is not in
  int n_steps_ = 0;            // that it has served
  Vector residual_;
  Vector solution_;
  Vector search_;
  Vector image_;
  Vector known_;
};

}  // namespace normball
