// The pass over rows in memory of several outputs, in shares as DesignPass has them.
#pragma once

#include "paths/windows/design_pass.hpp"
#include "paths/windows/output_rows.hpp"

namespace normball {

class OutputPass final : public RowPass {
 public:
  OutputPass(const Design& design, const Specification& spec, const std::vector<Problem>& problems, const Vector& units,
             Threads& threads)
      : spec_(spec),
        units_(units),
        threads_(threads),
        rows_{.design = &design, .family = spec.family, .targets = {}, .offsets = {}, .weights = {}} {
    for (const Problem& problem : problems) {
      rows_.targets.push_back(problem.y);
      rows_.offsets.push_back(problem.offset);
      rows_.weights.push_back(problem.weights.data());
    }
  }

 private:
  bool read_for(const std::vector<Evaluation*>& evaluations) override {
    const Candidates candidates(evaluations, units_, true);
    const Index fits = room() / n_output_sums(candidates);
    std::vector<Vector> parts(static_cast<std::size_t>(n_shares(spec_.n_rows, fits)));
    for_shares(spec_.n_rows, std::ssize(parts), threads_,
               [&](Index i, Index begin, Index end) { parts[i] = output_sums(rows_, candidates, begin, end); });
    for (std::size_t i = 1; i < parts.size(); ++i) {
      for (std::size_t e = 0; e < parts[0].size(); ++e) parts[0][e] += parts[i][e];
    }
    write_output_sums(parts[0], candidates, evaluations);
    return true;
  }

  // memory: the sums of all shares stay below a tenth of X, or 8 MB
  Index room() const { return std::max(spec_.n_rows * spec_.n_features / 10, Index{1'000'000}); }
  Index most_candidates() const override { return 256; }
  Index most_curved() const override {
    const Index n_coefs = (spec_.n_features + 1) * spec_.n_outputs;
    return std::max<Index>(1, room() / (n_coefs * n_coefs));
  }

  const Specification& spec_;
  const Vector& units_;
  Threads& threads_;
  RowsOfOutputs rows_;
};

// Tells a problem what its losses are measured by; the intercepts at which its null model begins.
inline Vector start_outputs(const Specification& spec, Problem& problem) {
  constexpr Index block = 256;
  const Index n_outputs = spec.n_outputs;
  Vector means(static_cast<std::size_t>(n_outputs), 0.0);
  Vector largest_offsets(means.size(), -infinity);
  Vector targets;
  problem.constant = 0.0;
  for (Index first = 0; first < spec.n_rows; first += block) {
    const Index count = std::min(block, spec.n_rows - first);
    const double* weights = problem.weights.data() + first;
    targets.resize(static_cast<std::size_t>(count * n_outputs));
    for (Index r = 0; r < count; ++r) {
      for (Index k = 0; k < n_outputs; ++k) {
        const Index at = (first + r) * n_outputs + k;
        targets[k * count + r] = problem.y[at];
        means[k] += weights[r] * problem.y[at];
        if (weights[r] > 0.0) largest_offsets[k] = std::max(largest_offsets[k], problem.offset[at]);
      }
    }
    problem.constant += spec.family->outputs_loss(n_outputs, targets.data(), weights, count)->constant();
  }
  const auto loss = spec.family->outputs_loss(n_outputs, nullptr, nullptr, 0);
  problem.mean_curvature = loss->curvature_at(means);
  return spec.fit_intercept ? null_start(*loss, means, largest_offsets) : Vector(means.size(), 0.0);
}

}  // namespace normball
