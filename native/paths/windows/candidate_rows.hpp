// Rows meet all candidates: a block of rows is packed once and meets all of them in BLAS-3, eta = X B, then the losses,
// then X'R; where wanted also the curvature X'DX.
#pragma once

#include <cmath>

#include "core/blas.hpp"
#include "design/design.hpp"
#include "losses/loss.hpp"
#include "paths/windows/candidates.hpp"

namespace normball {

class CandidateRows {
 public:
  static constexpr Index block = RoughGram::block;  // rows; with 1000 columns they fill 2 MB of cache

  // of each problem: its loss on these rows, their offsets, and a floor under the loss's curvature
  struct Problems {
    const Losses& losses;
    std::vector<const double*> offsets;
    Vector least_curvature;
  };

  // `first_row`: which row of the data the first one of the design is
  CandidateRows(const DenseDesign& design, Index first_row, const Problems& problems, const Candidates& candidates)
      : design_(design), first_row_(first_row), problems_(problems), candidates_(candidates) {}

  // of a loss that is a sum over rows
  CandidateSums sums(Index begin, Index end) const {
    return sums(begin, end, [&](CandidateSums& out, const double* x, Index first, Index count, double* targets) {
      predict(x, first, count, targets, block);
      evaluate(out, first, count, targets);
    });
  }

  // eta of each candidate, `stride` apart
  void predict(Index begin, Index end, double* eta, Index stride) const {
    Vector x(static_cast<std::size_t>(block * candidates_.n_used));
    for (Index first = begin; first < end; first += block) {
      const Index count = std::min(block, end - first);
      design_.pack_rows({.list = candidates_.order.data(), .count = candidates_.n_used}, first, count, x.data(), block);
      predict(x.data(), first, count, eta + first, stride);
    }
  }

  // fill(sums, packed columns, first row, rows, targets) puts residuals of candidates, and curvatures after them
  template <class Fill>
  CandidateSums sums(Index begin, Index end, const Fill& fill) const {
    CandidateSums out;
    const auto width = static_cast<std::size_t>(p());
    const Index n_targets = candidates_.n_targets();
    const auto n_curved = static_cast<std::size_t>(candidates_.n_curved());
    out.products.assign(width * static_cast<std::size_t>(n_targets), 0.0);
    out.sums.resize(static_cast<std::size_t>(candidates_.count()));
    out.totals.assign(n_curved, 0.0);
    out.grams.resize(n_curved);
    out.roughs.resize(n_curved);
    Buffers buffers{.x = Vector(block * width),
                    .targets = Vector(static_cast<std::size_t>(block * n_targets)),
                    .scaled = {},
                    .root = Vector(block),
                    .rough = RoughGram(p(), kernels::multiplies_bytes())};
    for (std::size_t h = 0; h < n_curved; ++h) {
      if (has_all_digits(h)) {
        buffers.scaled.resize(block * width);
        out.grams[h].assign(width * width, 0.0);
      } else {
        out.roughs[h] = buffers.rough.empty_sums();
      }
    }
    const Columns columns{.list = candidates_.order.data(), .count = p()};
    for (Index first = begin; first < end; first += block) {
      const Index count = std::min(block, end - first);
      design_.pack_rows(columns, first, count, buffers.x.data(), block);
      fill(out, buffers.x.data(), first, count, buffers.targets.data());
      for (std::size_t h = 0; h < n_curved; ++h) add_gram(out, buffers, h, first, count);
      linalg::add_at_b(p(), n_targets, count, buffers.x.data(), block, buffers.targets.data(), block,
                       out.products.data(), p());
    }
    return out;
  }

 private:
  struct Buffers {
    Vector x;        // block x p, centred
    Vector targets;  // block x (candidates + curvatures): eta, then residuals; curvatures
    Vector scaled;   // block x p, times the roots of a precise curvature
    Vector root;
    RoughGram rough;
  };

  Index p() const { return candidates_.n_features; }
  bool has_all_digits(std::size_t h) const { return candidates_.digits[candidates_.curved[h]] == Digits::all; }

  void predict(const double* x, Index first, Index count, double* eta, Index stride) const {
    const Index n_candidates = candidates_.count();
    for (Index c = 0; c < n_candidates; ++c) {
      const double* offset = problems_.offsets[candidates_.problem[c]] + first;
      for (Index r = 0; r < count; ++r) eta[c * stride + r] = offset[r] + candidates_.constant[c];
    }
    if (candidates_.n_used == 0) return;
    linalg::add_a_b(count, n_candidates, candidates_.n_used, x, block, candidates_.coefs.data(), candidates_.n_used,
                    eta, stride);
  }

  void evaluate(CandidateSums& out, Index first, Index count, double* targets) const {
    const Index n_candidates = candidates_.count();
    Index h = 0;
    for (Index c = 0; c < n_candidates; ++c) {
      const Index problem = candidates_.problem[c];
      double* eta = targets + c * block;
      double* curvature = nullptr;
      if (candidates_.digits[c] != Digits::none) curvature = targets + (n_candidates + h++) * block;
      out.sums[c] += problems_.losses[problem]->evaluate(
          first, count, eta,
          {.residual = eta, .curvature = curvature, .least_curvature = problems_.least_curvature[problem]});
    }
  }

  void add_gram(CandidateSums& out, Buffers& buffers, std::size_t h, Index first, Index count) const {
    const double* d = buffers.targets.data() + (candidates_.count() + static_cast<Index>(h)) * block;
    for (Index r = 0; r < count; ++r) {
      buffers.root[r] = std::sqrt(d[r]);
      out.totals[h] += d[r];
    }
    if (has_all_digits(h)) {
      for (Index a = 0; a < p(); ++a) {
        kernels::scale(candidates_.inverse_units[a], buffers.root.data(), buffers.x.data() + a * block,
                       buffers.scaled.data() + a * block, count);
      }
      linalg::add_at_a(p(), count, 1.0, buffers.scaled.data(), block, out.grams[h].data(), p());
    } else {
      buffers.rough.add(buffers.x.data(), candidates_.order.data(), candidates_.inverse_units.data(),
                        buffers.root.data(), first_row_ + first, count, out.roughs[h]);
    }
  }

  const DenseDesign& design_;
  Index first_row_;
  const Problems& problems_;
  const Candidates& candidates_;
};

}  // namespace normball
