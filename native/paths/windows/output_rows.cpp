#include "paths/windows/output_rows.hpp"

#include <cmath>

#include "core/blas.hpp"
#include "kernels/kernels.hpp"

namespace normball {
namespace {

// Where the numbers of an array of sums stand.
struct Places {
  Index p;
  Index n_outputs;
  Index n_vectors;  // outputs of all candidates
  Index n_candidates;
  Index n_curved;

  explicit Places(const Candidates& asked)
      : p(asked.n_features),
        n_outputs(asked.n_outputs),
        n_vectors(asked.count() * asked.n_outputs),
        n_candidates(asked.count()),
        n_curved(asked.n_curved()) {}

  Index residuals() const { return p * n_vectors; }
  Index losses() const { return residuals() + n_vectors; }
  Index curvatures() const { return losses() + 3 * n_candidates; }
  Index triangle() const { return (p + 1) * (p + 2) / 2; }
  Index n_pairs() const { return n_outputs * (n_outputs + 1) / 2; }
  // of outputs k <= l
  Index pair(Index h, Index k, Index l) const {
    return curvatures() + (h * n_pairs() + l * (l + 1) / 2 + k) * triangle();
  }
  std::size_t size() const { return static_cast<std::size_t>(pair(n_curved, 0, 0)); }
};

// What is stored row by row, some rows of it output by output.
class ByOutput {
 public:
  void forget() { from_ = nullptr; }

  const double* of(const double* from, Index n_outputs, Index count) {
    if (from == from_) return values_.data();
    from_ = from;
    values_.resize(static_cast<std::size_t>(count * n_outputs));
    for (Index r = 0; r < count; ++r) {
      for (Index k = 0; k < n_outputs; ++k) values_[k * count + r] = *from++;
    }
    return values_.data();
  }

 private:
  const double* from_ = nullptr;
  Vector values_;
};

// A few rows at a time meet all candidates.
class OutputRows {
 public:
  OutputRows(const RowsOfOutputs& rows, const Candidates& candidates)
      : rows_(rows), candidates_(candidates), at_(candidates), sums_(at_.size(), 0.0) {
    const auto n_pairs = static_cast<std::size_t>(at_.n_curved * at_.n_pairs());
    grams_.resize(n_pairs, Vector(static_cast<std::size_t>((at_.p + 1) * (at_.p + 1)), 0.0));
  }

  Vector add_up(Index begin, Index end) {
    for (Index first = begin; first < end; first += block) take(first, std::min(block, end - first));
    for (Index h = 0, g = 0; h < at_.n_curved; ++h) {
      for (Index l = 0; l < at_.n_outputs; ++l) {
        for (Index k = 0; k <= l; ++k, ++g) {
          double* to = sums_.data() + at_.pair(h, k, l);
          for (Index b = 0; b <= at_.p; ++b) to = std::copy_n(grams_[g].data() + b * (at_.p + 1), b + 1, to);
        }
      }
    }
    return std::move(sums_);
  }

 private:
  static constexpr Index block = 256;  // rows

  void take(Index first, Index count) {
    x_.resize(static_cast<std::size_t>(count * (at_.p + 1)));
    const Columns columns{.list = candidates_.order.data(), .count = at_.p};
    if (at_.p > 0) rows_.design->pack_rows(columns, first, count, x_.data(), count);
    std::fill_n(x_.begin() + count * at_.p, count, 1.0);
    targets_.forget();
    offsets_.forget();
    predict(first, count);
    residuals_.resize(eta_.size());
    for (Index c = 0, h = 0; c < at_.n_candidates; ++c) evaluate(c, first, count, h);
    linalg::add_at_b(at_.p, at_.n_vectors, count, x_.data(), count, residuals_.data(), count, sums_.data(), at_.p);
  }

  void predict(Index first, Index count) {
    eta_.resize(static_cast<std::size_t>(count * at_.n_vectors));
    for (Index v = 0; v < at_.n_vectors; ++v) {
      const double* own = rows_.offsets[candidates_.problem[v / at_.n_outputs]] + first * at_.n_outputs;
      const double* known = offsets_.of(own, at_.n_outputs, count) + v % at_.n_outputs * count;
      for (Index r = 0; r < count; ++r) eta_[v * count + r] = known[r] + candidates_.constant[v];
    }
    if (candidates_.n_used == 0) return;
    linalg::add_a_b(count, at_.n_vectors, candidates_.n_used, x_.data(), count, candidates_.coefs.data(),
                    candidates_.n_used, eta_.data(), count);
  }

  void evaluate(Index c, Index first, Index count, Index& h) {
    const Index problem = candidates_.problem[c];
    const double* targets = targets_.of(rows_.targets[problem] + first * at_.n_outputs, at_.n_outputs, count);
    const auto loss = rows_.family->outputs_loss(at_.n_outputs, targets, rows_.weights[problem] + first, count);
    const double* eta = eta_.data() + c * at_.n_outputs * count;
    double* residual = residuals_.data() + c * at_.n_outputs * count;
    const RowSums sums = loss->evaluate(eta, residual);
    double* to = sums_.data() + at_.losses() + 3 * c;
    to[0] += sums.loss;
    to[1] += sums.pearson;
    to[2] += sums.squares;
    for (Index k = 0; k < at_.n_outputs; ++k) {
      double& sum = sums_[at_.residuals() + c * at_.n_outputs + k];
      for (Index r = 0; r < count; ++r) sum += residual[k * count + r];
    }
    if (candidates_.digits[c] == Digits::none) return;
    loss->curve(eta, curvature_);
    for (Index l = 0, pair = 0; l < at_.n_outputs; ++l) {
      for (Index k = 0; k <= l; ++k, ++pair) add_gram(h * at_.n_pairs() + pair, k, l, count);
    }
    ++h;
  }

  // of outputs k <= l: d - r^2 is no less than 0, nor is r
  void add_gram(Index place, Index k, Index l, Index count) {
    root_.resize(static_cast<std::size_t>(count));
    const bool is_coupled = !curvature_.root.empty();
    if (k != l && !is_coupled) return;
    for (Index r = 0; r < count; ++r) {
      const double joined = is_coupled ? curvature_.root[k * count + r] * curvature_.root[l * count + r] : 0.0;
      root_[r] = std::sqrt(k == l ? std::max(0.0, curvature_.diagonal[k * count + r] - joined) : joined);
    }
    scaled_.resize(x_.size());
    for (Index a = 0; a <= at_.p; ++a) {
      const double unit = a < at_.p ? candidates_.inverse_units[a] : 1.0;
      kernels::scale(unit, root_.data(), x_.data() + a * count, scaled_.data() + a * count, count);
    }
    linalg::add_at_a(at_.p + 1, count, k == l ? 1.0 : -1.0, scaled_.data(), count, grams_[place].data(), at_.p + 1);
  }

  const RowsOfOutputs& rows_;
  const Candidates& candidates_;
  const Places at_;
  Vector sums_;
  std::vector<Vector> grams_;
  Vector x_;  // rows x (p + 1), centred, with a column of ones
  ByOutput targets_;
  ByOutput offsets_;
  Vector eta_;
  Vector residuals_;
  RowCurvature curvature_;
  Vector root_;
  Vector scaled_;
};

}  // namespace

Vector output_sums(const RowsOfOutputs& rows, const Candidates& candidates, Index begin, Index end) {
  return OutputRows(rows, candidates).add_up(begin, end);
}

Index n_output_sums(const Candidates& candidates) { return static_cast<Index>(Places(candidates).size()); }

void write_output_sums(const Vector& values, const Candidates& candidates,
                       const std::vector<Evaluation*>& evaluations) {
  const Places at(candidates);
  const Index n_coefs = at.p * at.n_outputs;
  // where a column of an output stands in the curvature, by its place here
  const auto place = [&](Index output, Index a) {
    return a < at.p ? output * at.p + candidates.order[a] : n_coefs + output;
  };
  const Index width = n_coefs + at.n_outputs;
  for (Index c = 0, h = 0; c < at.n_candidates; ++c) {
    Evaluation& out = *evaluations[c];
    const double* sums = values.data() + at.losses() + 3 * c;
    out.sums = {.loss = sums[0], .pearson = sums[1], .squares = sums[2]};
    out.product.resize(static_cast<std::size_t>(n_coefs));
    const double* products = values.data() + c * n_coefs;
    for (Index k = 0; k < at.n_outputs; ++k) {
      for (Index a = 0; a < at.p; ++a) out.product[place(k, a)] = products[k * at.p + a];
    }
    const double* residuals = values.data() + at.residuals() + c * at.n_outputs;
    out.residual.assign(residuals, residuals + at.n_outputs);
    if (!out.curvature) continue;
    Vector& matrix = out.curvature->matrix;
    matrix.resize(static_cast<std::size_t>(width * width));
    for (Index l = 0; l < at.n_outputs; ++l) {
      for (Index k = 0; k <= l; ++k) {
        const double* from = values.data() + at.pair(h, k, l);
        for (Index b = 0; b <= at.p; ++b) {
          for (Index a = 0; a <= b; ++a, ++from) {
            for (const auto& [i, j] : {std::pair(place(k, a), place(l, b)), std::pair(place(k, b), place(l, a))}) {
              matrix[j * width + i] = matrix[i * width + j] = *from;
            }
          }
        }
      }
    }
    ++h;
  }
}

}  // namespace normball
