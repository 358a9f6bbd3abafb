// The candidates of one pass laid out for BLAS, and what rows add up for them. Plain arrays both, so that they may
// travel to where the rows are and back.
#pragma once

#include "paths/windows/rough_gram.hpp"
#include "paths/windows/row_pass.hpp"

namespace normball {

// on few rows rounding does not average out, and shows where columns depend on each other
inline bool wants_all_digits(Index n_rows) { return n_rows < 16 * RoughGram::block; }

enum class Digits : std::int8_t { none = 0, few = 1, all = 2 };  // of a curvature

struct Candidates {
  Index n_features = 0;
  Index n_outputs = 1;
  std::vector<Index> order;  // of the columns: those that any candidate uses come first, products need no others
  Index n_used = 0;
  std::vector<Index> problem;
  Vector constant;             // n_outputs x count
  Vector coefs;                // n_used x n_outputs x count, in that order
  Vector inverse_units;        // in that order
  std::vector<Digits> digits;  // of the curvature that is wanted
  std::vector<Index> curved;   // candidates with one

  Index count() const { return std::ssize(problem); }
  Index n_curved() const { return std::ssize(curved); }
  Index n_targets() const { return count() + n_curved(); }

  Candidates() = default;
  Candidates(const std::vector<Evaluation*>& evaluations, const Vector& units, bool needs_all_digits)
      : n_features(std::ssize(units)), n_outputs(std::ssize(evaluations[0]->constant)) {
    std::vector<Index> rest;
    for (Index j = 0; j < n_features; ++j) {
      const bool used = std::ranges::any_of(evaluations, [&](const Evaluation* e) { return uses(*e, j); });
      (used ? order : rest).push_back(j);
    }
    n_used = std::ssize(order);
    order.insert(order.end(), rest.begin(), rest.end());
    for (const Index j : order) inverse_units.push_back(1.0 / units[j]);
    for (const Evaluation* evaluation : evaluations) {
      problem.push_back(evaluation->problem);
      constant.insert(constant.end(), evaluation->constant.begin(), evaluation->constant.end());
      for (Index k = 0; k < n_outputs; ++k) {
        for (Index a = 0; a < n_used; ++a) coefs.push_back(evaluation->coef[k * n_features + order[a]]);
      }
      const bool is_precise = evaluation->is_precise || needs_all_digits;
      digits.push_back(!evaluation->curvature ? Digits::none : is_precise ? Digits::all : Digits::few);
    }
    find_curved();
  }

  void find_curved() {
    curved.clear();
    for (Index c = 0; c < count(); ++c) {
      if (digits[c] != Digits::none) curved.push_back(c);
    }
  }

 private:
  bool uses(const Evaluation& evaluation, Index j) const {
    for (Index k = 0; k < n_outputs; ++k) {
      if (evaluation.coef[k * n_features + j] != 0.0) return true;
    }
    return false;
  }
};

// What rows of one output add up, in the order of the columns above.
struct CandidateSums {
  Vector products;  // p x (candidates + curvatures)
  std::vector<RowSums> sums;
  Vector totals;
  std::vector<Vector> grams;               // of curvatures in all digits
  std::vector<std::vector<float>> roughs;  // of the others
  std::vector<Vector> coupled;             // what is taken from each of them, where a loss couples rows

  void add(const CandidateSums& other) {
    for (std::size_t i = 0; i < products.size(); ++i) products[i] += other.products[i];
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += other.sums[c];
    for (std::size_t h = 0; h < totals.size(); ++h) {
      totals[h] += other.totals[h];
      for (std::size_t i = 0; i < grams[h].size(); ++i) grams[h][i] += other.grams[h][i];
      for (std::size_t i = 0; i < roughs[h].size(); ++i) roughs[h][i] += other.roughs[h][i];
    }
  }

  // of the curvature's upper triangle
  double entry(Index h, Index p, Index a, Index b) const {
    const double value = grams[h].empty() ? roughs[h][b * RoughGram::stride(p) + a] : grams[h][b * p + a];
    return coupled.empty() ? value : value - coupled[h][b * p + a];
  }

  void write(const Candidates& asked, const Vector& units, bool is_profiled,
             const std::vector<Evaluation*>& evaluations) const {
    const Index p = asked.n_features;
    Index h = 0;
    for (Index c = 0; c < asked.count(); ++c) {
      Evaluation& evaluation = *evaluations[c];
      evaluation.sums = sums[c];
      evaluation.product.resize(static_cast<std::size_t>(p));
      for (Index a = 0; a < p; ++a) evaluation.product[asked.order[a]] = products[c * p + a];
      if (evaluation.curvature) write_curvature(asked, units, is_profiled, h++, *evaluation.curvature);
    }
  }

 private:
  void write_curvature(const Candidates& asked, const Vector& units, bool is_profiled, Index h,
                       WindowCurvature& out) const {
    const Index p = asked.n_features;
    out.matrix.resize(static_cast<std::size_t>(p * p));
    out.sums.resize(static_cast<std::size_t>(p));
    out.total = totals[h];
    const double* weighted = products.data() + (asked.count() + h) * p;
    for (Index a = 0; a < p; ++a) out.sums[asked.order[a]] = weighted[a] / units[asked.order[a]];
    for (Index b = 0; b < p; ++b) {
      for (Index a = 0; a <= b; ++a) {
        const Index i = asked.order[a];
        const Index j = asked.order[b];
        double value = entry(h, p, a, b);
        if (is_profiled) value -= out.sums[i] * out.sums[j] / out.total;
        out.matrix[j * p + i] = out.matrix[i * p + j] = value;
      }
    }
  }
};

}  // namespace normball
