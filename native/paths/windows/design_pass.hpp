// The pass over rows that are all in memory, in shares whose number depends on sizes alone, so that the sums do, too.
#pragma once

#include "core/threads.hpp"
#include "paths/windows/candidate_rows.hpp"
#include "problem/problem.hpp"

namespace normball {

// How many shares of the rows there are where sums of so many fit into memory.
inline Index n_shares(Index n_rows, Index fits) {
  return std::clamp<Index>(std::min(fits, n_rows / (4 * CandidateRows::block)), 1, 8);
}

// task(share, begin, end) of the rows, in whole blocks
template <class Task>
void for_shares(Index n_rows, Index count, Threads& threads, const Task& task) {
  constexpr Index block = CandidateRows::block;
  const Index n_blocks = (n_rows + block - 1) / block;
  threads.parallel_for(count, [&](Index i) {
    task(i, block * (n_blocks * i / count), std::min(n_rows, block * (n_blocks * (i + 1) / count)));
  });
}

class DesignPass : public RowPass {
 public:
  DesignPass(const Design& design, const Specification& spec, const Losses& losses,
             const std::vector<Problem>& problems, const Vector& units, Threads& threads)
      : design_(design),
        spec_(spec),
        units_(units),
        threads_(threads),
        problems_{.losses = losses, .offsets = {}, .least_curvature = {}} {
    for (const Problem& problem : problems) {
      problems_.offsets.push_back(problem.offset);
      problems_.least_curvature.push_back(problem.least_curvature());
    }
  }

 protected:
  const Design& design() const { return design_; }
  const CandidateRows::Problems& problems() const { return problems_; }
  Threads& threads() const { return threads_; }

  virtual CandidateSums add_up(const Candidates& candidates) {
    const CandidateRows rows(design_, 0, problems_, candidates);
    return add_parts([&](Index begin, Index end) { return rows.sums(begin, end); });
  }

  // task(part, begin, end) of the rows
  template <class Task>
  void for_parts(const Task& task) const {
    for_shares(spec_.n_rows, n_parts(), threads_, task);
  }

  template <class Sums>
  CandidateSums add_parts(const Sums& sums) const {
    std::vector<CandidateSums> parts(static_cast<std::size_t>(n_parts()));
    for_parts([&](Index i, Index begin, Index end) { parts[i] = sums(begin, end); });
    for (std::size_t i = 1; i < parts.size(); ++i) parts[0].add(parts[i]);
    return std::move(parts[0]);
  }

 private:
  bool read_for(const std::vector<Evaluation*>& evaluations) override {
    const Candidates candidates(evaluations, units_, wants_all_digits(spec_.n_rows));
    add_up(candidates).write(candidates, units_, spec_.fit_intercept, evaluations);
    return true;
  }

  // memory: the sums of all parts stay below a tenth of X, or 8 MB
  Index n_parts() const {
    const Index p = spec_.n_features;
    const Index room = std::max(spec_.n_rows * p / 10, Index{1'000'000});
    return n_shares(spec_.n_rows, room / (p * (most_candidates() / 2 + 3 * p)));
  }
  Index most_candidates() const override { return 256; }
  Index most_curved() const override {
    const Index p = spec_.n_features;
    return std::max<Index>(1, 2 * std::max(spec_.n_rows * p / 12, Index{1'000'000}) / (n_parts() * p * p));
  }

  const Design& design_;
  const Specification& spec_;
  const Vector& units_;
  Threads& threads_;
  CandidateRows::Problems problems_;
};

}  // namespace normball
