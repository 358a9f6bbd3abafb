#include <algorithm>
#include <cmath>

#include "core/cpu.hpp"
#include "kernels/simd.hpp"
#include "losses/family.hpp"

namespace normball {
namespace {

// Rows whose softmax is taken, class by class.
struct ClassRows {
  Index count;
  Index stride;  // from one class to the next
  Index n_classes;
  const double* y;
  const double* weights;
  const double* eta;
  double* residual;  // w (pi - y)
};

// of x >= 0, to about 1 ulp
template <class V>
NORMBALL_INLINE void log1p(const V& x, V& out) {
  V large;
  V small;
  simd::log(1.0 + x, large);
  simd::log1p_unit(x < 1.0 ? x : V{} + 1.0, small);
  out = x < 1.0 ? small : large;
}

// pi_k = e_k / (most + others), where `most` counts the classes that share the largest eta and e is relative to it, so
// that neither the loss of a class that is nearly sure cancels nor its 1 - pi.
template <class V>
NORMBALL_INLINE void add_some(const ClassRows& rows, Index i, V (&sums)[3]) {
  V w;
  V largest;
  V eta;
  V y;
  V e;
  simd::load(rows.weights + i, w);
  simd::load(rows.eta + i, largest);
  for (Index k = 1; k < rows.n_classes; ++k) {
    simd::load(rows.eta + k * rows.stride + i, eta);
    largest = eta > largest ? eta : largest;
  }
  V most = V{};
  V others = V{};
  V value = V{};
  for (Index k = 0; k < rows.n_classes; ++k) {
    simd::load(rows.eta + k * rows.stride + i, eta);
    simd::load(rows.y + k * rows.stride + i, y);
    const V below = eta - largest;
    simd::exp(below, e);
    const auto is_largest = below >= 0.0;
    most += is_largest ? V{} + 1.0 : V{};
    others += is_largest ? V{} : e;
    value -= y * below;
    simd::store(e, rows.residual + k * rows.stride + i);
  }
  const V beyond = others + (most - 1.0);
  const V total = most + others;
  const V unit = 1.0 / total;
  V pearson = V{};
  V squares = V{};
  for (Index k = 0; k < rows.n_classes; ++k) {
    simd::load(rows.y + k * rows.stride + i, y);
    simd::load(rows.residual + k * rows.stride + i, e);
    const V rest = e >= 1.0 ? beyond : total - e;
    const V u = ((1.0 - y) * e - y * rest) * unit;
    const V square = u * u;
    const V share = e * unit;
    pearson += square / (share < 1e-300 ? V{} + 1e-300 : share);
    squares += square;
    simd::store(w * u, rows.residual + k * rows.stride + i);
  }
  V log;
  log1p(beyond, log);
  sums[0] += w * (value + log);
  sums[1] += w * pearson;
  sums[2] += w * squares;
}

template <int Bytes>
NORMBALL_INLINE void add_rows(const ClassRows& rows, RowSums& out) {
  using V = simd::Lanes<Bytes>;
  V sums[3] = {};
  for (Index i = 0; i < rows.count; i += simd::width<V>) add_some(rows, i, sums);
  out +=
      {.loss = simd::total(sums[0]), .residual = 0.0, .pearson = simd::total(sums[1]), .squares = simd::total(sums[2])};
}

// f = log sum_k e^eta_k - y'eta, less its minimum over eta (0 for labels, the entropy of y for proportions)
class Softmax final : public OutputsLoss {
 public:
  Softmax(Index n_classes, const double* y, const double* weights, Index n_rows)
      : OutputsLoss(n_classes,
                    {.is_quadratic = false, .is_location = false, .is_shift_invariant = true, .is_coupled = true}),
        y_(y),
        weights_(weights),
        n_rows_(n_rows) {}

  RowSums evaluate(const double* eta, double* residual) const override {
    RowSums sums;
    const Index whole = n_rows_ - n_rows_ % widest;
    const auto add = [&](const ClassRows& rows) {
      cpu::PerCpu<add_rows<64>, add_rows<32>, add_rows<16>>::run(rows, sums);
    };
    add({.count = whole,
         .stride = n_rows_,
         .n_classes = n_outputs,
         .y = y_,
         .weights = weights_,
         .eta = eta,
         .residual = residual});
    if (whole == n_rows_) return sums;
    // what is left over at the end, filled up with rows of weight 0
    const auto size = static_cast<std::size_t>(n_outputs * widest);
    Vector y(size, 0.0);
    Vector last_eta(size, 0.0);
    Vector last_residual(size);
    Vector weights(widest, 0.0);
    const Index rest = n_rows_ - whole;
    std::copy_n(weights_ + whole, rest, weights.data());
    for (Index k = 0; k < n_outputs; ++k) {
      std::copy_n(y_ + k * n_rows_ + whole, rest, y.data() + k * widest);
      std::copy_n(eta + k * n_rows_ + whole, rest, last_eta.data() + k * widest);
    }
    add({.count = widest,
         .stride = widest,
         .n_classes = n_outputs,
         .y = y.data(),
         .weights = weights.data(),
         .eta = last_eta.data(),
         .residual = last_residual.data()});
    for (Index k = 0; k < n_outputs; ++k) {
      std::copy_n(last_residual.data() + k * widest, rest, residual + k * n_rows_ + whole);
    }
    return sums;
  }

  // w (diag(pi) - pi pi'), from the residual: pi = y + u
  void curve(const double* eta, RowCurvature& curvature) const override {
    curvature.diagonal.resize(static_cast<std::size_t>(n_rows_ * n_outputs));
    curvature.root.resize(curvature.diagonal.size());
    evaluate(eta, curvature.diagonal.data());
    for (Index k = 0; k < n_outputs; ++k) {
      for (Index i = 0; i < n_rows_; ++i) {
        const Index at = k * n_rows_ + i;
        const double w = weights_[i];
        const double mass = w == 0.0 ? 0.0 : std::max(0.0, curvature.diagonal[at] + w * y_[at]);
        curvature.diagonal[at] = mass;
        curvature.root[at] = w == 0.0 ? 0.0 : mass / std::sqrt(w);
      }
    }
  }

  // nu = y + v has to be a distribution: what is negative goes to 0, and the rest is shortened
  DualSums dual(const double* eta, double* dual) const override {
    DualSums sums;
    Vector residual(static_cast<std::size_t>(n_rows_ * n_outputs));
    evaluate(eta, residual.data());
    for (Index i = 0; i < n_rows_; ++i) {
      const double w = weights_[i];
      if (w == 0.0) continue;
      double total = 0.0;
      bool is_outside = false;
      for (Index at = i; at < n_rows_ * n_outputs; at += n_rows_) {
        const double share = y_[at] + dual[at] / w;
        is_outside |= share < 0.0;
        total += std::max(share, 0.0);
      }
      sums.n_clipped += is_outside ? 1.0 : 0.0;
      for (Index at = i; at < n_rows_ * n_outputs; at += n_rows_) {
        if (is_outside) dual[at] = w * (std::max(y_[at] + dual[at] / w, 0.0) / total - y_[at]);
        const double share = std::max(y_[at] + residual[at] / w, 1e-300);
        const double off = (dual[at] - residual[at]) / w;
        sums.dual_pearson += w * off * off / share;
        sums.pearson += dual[at] * dual[at] / (w * share);
      }
    }
    return sums;
  }

  double constant() const override {
    double sum = 0.0;
    for (Index at = 0; at < n_rows_ * n_outputs; ++at) {
      if (y_[at] > 0.0) sum += weights_[at % n_rows_] * y_[at] * std::log(y_[at]);
    }
    return sum;
  }

  Vector link(const Vector& means) const override {
    Vector eta;
    double centre = 0.0;
    for (const double mean : means) {
      eta.push_back(std::log(std::max(mean, 1e-12)));
      centre += eta.back() / static_cast<double>(n_outputs);
    }
    for (double& value : eta) value -= centre;
    return eta;
  }
  double curvature_at(const Vector& means) const override {
    double sum = 0.0;
    for (const double mean : means) sum += mean * (1.0 - mean);
    return sum / static_cast<double>(n_outputs);
  }

 private:
  static constexpr Index widest = 8;

  const double* y_;
  const double* weights_;
  Index n_rows_;
};

const Family multinomial = family_of_outputs<Softmax>(
    "multinomial", {.is_quadratic = false, .is_location = false, .is_piecewise = false, .is_separable = true});

}  // namespace
}  // namespace normball
