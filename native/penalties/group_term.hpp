#pragma once

#include "penalties/elastic_net.hpp"

namespace normball {

// One block's term: l1 ||b||_1 + group ||b||_2 + l2/2 ||b||^2 on n coordinates, a sparse-group lasso (Simon, Friedman,
// Hastie & Tibshirani 2013) with a ridge. A block of one coordinate is an elastic net. docs/mathematics.md (M28)
struct GroupTerm {
  double l1 = 0.0;
  double group = 0.0;
  double l2 = 0.0;

  double value(const double* b, Index n) const {
    if (n == 1 && b[0] != 0.0) return as_coordinate().value(b[0]);
    double sum = 0.0;
    double squares = 0.0;
    for (Index i = 0; i < n; ++i) {
      sum += std::abs(b[i]);
      squares += b[i] * b[i];
    }
    return sum == 0.0 ? 0.0 : l1 * sum + group * std::sqrt(squares) + 0.5 * l2 * squares;
  }

  // argmin_b curvature/2 ||b||^2 - z'b + value(b): a soft threshold of each coordinate, then one of the block's length
  // (Yuan & Lin 2006), which in this order is exact; out may be z
  void prox(const double* z, double curvature, double* out, Index n) const {
    if (n == 1) {
      out[0] = as_coordinate().prox(z[0], curvature);
      return;
    }
    double squares = 0.0;
    for (Index i = 0; i < n; ++i) {
      out[i] = soft_threshold(z[i], l1);
      squares += out[i] * out[i];
    }
    const double length = std::sqrt(squares);
    const double kept = length > group ? (length - group) / length : 0.0;
    for (Index i = 0; i < n; ++i) out[i] = kept == 0.0 ? 0.0 : kept * out[i] / (curvature + l2);
  }

  // distance of -gradient to the subdifferential at b: 0 if and only if b is optimal for this block
  double violation(const double* gradient, const double* b, Index n) const {
    if (n == 1) return as_coordinate().violation(gradient[0], b[0]);
    const double length = norm(b, n);
    if (length == 0.0) return excess(gradient, n);
    double squares = 0.0;
    for (Index i = 0; i < n; ++i) {
      const double slope = b[i] == 0.0 ? soft_threshold(gradient[i], l1)
                                       : gradient[i] + (l2 + group / length) * b[i] + std::copysign(l1, b[i]);
      squares += slope * slope;
    }
    return std::sqrt(squares);
  }

  // sup_b z'b - value(b)
  double conjugate(const double* z, Index n) const {
    const double beyond = excess(z, n);
    if (beyond == 0.0) return 0.0;
    return l2 > 0.0 ? 0.5 * beyond * (beyond / l2) : infinity;
  }

  // the largest factor <= 1 that makes factor * z cost nothing in the conjugate: the inverse of an epsilon-norm
  // (Ndiaye, Fercoq, Gramfort & Salmon 2016), rounded down so that rounding does not make it cost something again
  double costless_scale(const double* z, Index n) const {
    if (n == 1) return as_coordinate().costless_scale(z[0]);
    if (excess(z, n) == 0.0) return 1.0;
    if (l1 == 0.0 && group == 0.0) return 0.0;
    double factor = std::min(1.0, (l1 + group) / largest(z, n));  // the largest alone allows no more
    // ||S(factor z, l1)|| is convex and grows with the factor: Newton's steps from above stay above
    for (int step = 0; step < most_steps; ++step) {
      double squares = 0.0;
      double growth = 0.0;
      for (Index i = 0; i < n; ++i) {
        const double size = std::abs(z[i]);
        const double over = std::max(0.0, factor * size - l1);
        squares += over * over;
        growth += over * size;
      }
      const double length = std::sqrt(squares);
      if (!(length > group)) break;
      const double next = factor - (length - group) * (length / growth);
      if (!(next < factor)) break;
      factor = next;
    }
    double margin = 4e-16;
    while (excess(z, n, factor * (1.0 - margin)) > 0.0) margin = std::min(1.0, 2.0 * margin);
    return factor * (1.0 - margin);
  }

  bool is_free() const { return l1 == 0.0 && group == 0.0 && l2 == 0.0; }
  // whether it has a kink at zero, so that small gradients keep the block there
  bool selects() const { return l1 > 0.0 || group > 0.0; }

  // What a gradient z at zero asks lambda to be, where l1 = lambda a and group = lambda c: the smallest t with
  // ||S(z, t a)|| <= t c; 0 where nothing holds the block.
  static double strength_asked(const double* z, Index n, double a, double c) {
    if (a + c == 0.0) return 0.0;
    double t = largest(z, n) / (a + c);  // what the largest asks alone
    if (n == 1 || c == 0.0 || t == 0.0) return t;
    // ||S(z, t a)|| - t c is convex and falls: Newton's steps from below stay below
    for (int step = 0; step < most_steps; ++step) {
      double squares = 0.0;
      double sum = 0.0;
      for (Index i = 0; i < n; ++i) {
        const double over = std::max(0.0, std::abs(z[i]) - t * a);
        squares += over * over;
        sum += over;
      }
      const double length = std::sqrt(squares);
      if (!(length > t * c)) break;
      const double next = t + (length - t * c) / (a * (sum / length) + c);
      if (!(next > t)) break;
      t = next;
    }
    return t;
  }

  static double norm(const double* b, Index n) {
    double squares = 0.0;
    for (Index i = 0; i < n; ++i) squares += b[i] * b[i];
    return std::sqrt(squares);
  }

 private:
  static constexpr int most_steps = 100;  // Newton's, which take about six

  ElasticNet as_coordinate() const { return {.l1 = l1 + group, .l2 = l2}; }

  static double largest(const double* z, Index n) {
    double most = 0.0;
    for (Index i = 0; i < n; ++i) most = std::max(most, std::abs(z[i]));
    return most;
  }

  // by how much the soft threshold of factor * z is longer than `group`
  double excess(const double* z, Index n, double factor = 1.0) const {
    if (n == 1) return std::abs(soft_threshold(factor * z[0], l1 + group));
    double squares = 0.0;
    for (Index i = 0; i < n; ++i) {
      const double over = soft_threshold(factor * z[i], l1);
      squares += over * over;
    }
    return std::max(0.0, std::sqrt(squares) - group);
  }
};

}  // namespace normball
