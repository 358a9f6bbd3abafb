// The pass over rows in memory whose loss is no sum over them: eta is known of all rows before any of them has a
// residual, so that there are two reads. What couples rows in a curvature is taken from it in fewer terms. (M37)
#pragma once

#include "losses/merged_terms.hpp"
#include "paths/windows/design_pass.hpp"

namespace normball {

class CoupledPass final : public DesignPass {
 public:
  using DesignPass::DesignPass;

 private:
  static constexpr Index most_terms = 512;
  static constexpr Index packed = 8;  // columns; side by side in a row-major design they are a cache line

  using Couplings = std::vector<std::unique_ptr<const Coupling>>;

  CandidateSums add_up(const Candidates& candidates) override {
    const Index n = design().n_rows;
    const CandidateRows rows(design(), 0, problems(), candidates);
    Vector targets(static_cast<std::size_t>(n * candidates.n_targets()));
    for_parts([&](Index /*part*/, Index begin, Index end) { rows.predict(begin, end, targets.data(), n); });
    std::vector<RowSums> losses(static_cast<std::size_t>(candidates.count()));
    const Couplings couplings = evaluate(candidates, targets, losses);
    CandidateSums out = add_parts([&](Index begin, Index end) {
      return rows.sums(begin, end, [&](CandidateSums&, RowTile&, Index first, Index count, double* block) {
        for (Index c = 0; c < candidates.n_targets(); ++c)
          std::copy_n(targets.data() + c * n + first, count, block + c * CandidateRows::block);
      });
    });
    out.sums = std::move(losses);
    for (std::size_t h = 0; h < couplings.size(); ++h) {
      const bool is_precise = candidates.digits[candidates.curved[h]] == Digits::all;
      const Index most = is_precise ? couplings[h]->n_terms() : most_terms;
      out.coupled.push_back(gram(MergedTerms(*couplings[h], n, most), candidates));
    }
    return out;
  }

  // eta becomes residuals, and the curvatures that are wanted come after them
  Couplings evaluate(const Candidates& candidates, Vector& targets, std::vector<RowSums>& losses) const {
    const Index n = design().n_rows;
    Couplings couplings(static_cast<std::size_t>(candidates.n_curved()));
    threads().parallel_for(candidates.count(), [&](Index c) {
      const Index problem = candidates.problem[c];
      const Loss& loss = *problems().losses[problem];
      double* eta = targets.data() + c * n;
      const auto curved = std::ranges::find(candidates.curved, c);
      double* curvature = nullptr;
      if (curved != candidates.curved.end()) {
        const Index h = curved - candidates.curved.begin();
        couplings[h] = loss.coupling(eta);
        curvature = targets.data() + (candidates.count() + h) * n;
      }
      losses[c] = loss.evaluate(
          eta, {.residual = eta, .curvature = curvature, .least_curvature = problems().least_curvature[problem]});
    });
    return couplings;
  }

  // (MX)'MX on the columns divided by their units, upper triangle
  Vector gram(const MergedTerms& terms, const Candidates& candidates) const {
    const Index n = design().n_rows;
    const Index p = candidates.n_features;
    Vector projected(static_cast<std::size_t>(terms.count() * p));
    threads().parallel_for((p + packed - 1) / packed, [&](Index part) {
      const Index first = part * packed;
      const Index count = std::min(packed, p - first);
      Vector columns(static_cast<std::size_t>(n * count));
      design().pack_rows({.list = candidates.order.data() + first, .count = count}, 0, n, columns.data(), n);
      terms.project(columns.data(), n, count, projected.data() + first * terms.count());
      for (Index a = first; a < first + count; ++a) {
        for (Index t = 0; t < terms.count(); ++t) projected[a * terms.count() + t] *= candidates.inverse_units[a];
      }
    });
    Vector out(static_cast<std::size_t>(p * p), 0.0);
    linalg::add_at_a(p, terms.count(), 1.0, projected.data(), std::max<Index>(terms.count(), 1), out.data(), p);
    return out;
  }

  // eta of all candidates stays below a half of X, or 8 MB
  Index most_candidates() const override {
    return std::clamp<Index>(std::max(design().n_cols / 2, Index{1'000'000} / design().n_rows), 24, 256);
  }
};

}  // namespace normball
