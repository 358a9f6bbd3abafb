// Rows meet all candidates: a block of rows is taken once and meets all of them, eta = X B, then the losses, then X'R;
// where wanted also the curvature X'DX.
#pragma once

#include "losses/loss.hpp"
#include "paths/windows/row_tile.hpp"

namespace normball {

class CandidateRows {
 public:
  static constexpr Index block = RowTile::block;

  // of each problem: its loss on these rows, their offsets, and a floor under the loss's curvature
  struct Problems {
    const Losses& losses;
    std::vector<const double*> offsets;
    Vector least_curvature;
  };

  // `first_row`: which row of the data the first one of the design is
  CandidateRows(const Design& design, Index first_row, const Problems& problems, const Candidates& candidates)
      : design_(design), first_row_(first_row), problems_(problems), candidates_(candidates) {}

  // of a loss that is a sum over rows
  CandidateSums sums(Index begin, Index end) const {
    return sums(begin, end, [&](CandidateSums& out, RowTile& tile, Index first, Index count, double* targets) {
      predict(tile, first, count, targets, block);
      evaluate(out, first, count, targets);
    });
  }

  // eta of each candidate, `stride` apart
  void predict(Index begin, Index end, double* eta, Index stride) const {
    const std::unique_ptr<RowTile> tile = row_tile(design_, candidates_, false);
    for (Index first = begin; first < end; first += block) {
      const Index count = std::min(block, end - first);
      tile->take(first, count);
      predict(*tile, first, count, eta + first, stride);
    }
  }

  // fill(sums, tile, first row, rows, targets) puts residuals of candidates, and curvatures after them
  template <class Fill>
  CandidateSums sums(Index begin, Index end, const Fill& fill) const {
    CandidateSums out;
    const auto n_curved = static_cast<std::size_t>(candidates_.n_curved());
    out.sums.resize(static_cast<std::size_t>(candidates_.count()));
    out.totals.assign(n_curved, 0.0);
    out.grams.resize(n_curved);
    out.roughs.resize(n_curved);
    const std::unique_ptr<RowTile> tile = row_tile(design_, candidates_, true);
    tile->make_room(out);
    Vector targets(static_cast<std::size_t>(block * candidates_.n_targets()));
    for (Index first = begin; first < end; first += block) {
      const Index count = std::min(block, end - first);
      tile->take(first, count);
      fill(out, *tile, first, count, targets.data());
      for (Index h = 0; h < candidates_.n_curved(); ++h) {
        const double* const d = targets.data() + (candidates_.count() + h) * block;
        for (Index r = 0; r < count; ++r) out.totals[h] += d[r];
        tile->add_gram(h, d, first_row_ + first, out);
      }
      tile->add_products(targets.data(), out);
    }
    tile->finish(out);
    return out;
  }

 private:
  void predict(RowTile& tile, Index first, Index count, double* eta, Index stride) const {
    for (Index c = 0; c < candidates_.count(); ++c) {
      const double* offset = problems_.offsets[candidates_.problem[c]] + first;
      for (Index r = 0; r < count; ++r) eta[c * stride + r] = offset[r] + candidates_.constant[c];
    }
    tile.predict(eta, stride);
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

  const Design& design_;
  Index first_row_;
  const Problems& problems_;
  const Candidates& candidates_;
};

}  // namespace normball
