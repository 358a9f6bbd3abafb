// Squared error needs the moments of the first pass alone. A curved loss goes through windows of lambdas; each of its
// passes is a sum over blocks.
#include "paths/row_blocks/row_blocks.hpp"

#include "paths/moments/moment_path.hpp"
#include "paths/windows/window_path.hpp"
#include "problem/null_model.hpp"

namespace normball {
namespace {

class BlockPass final : public RowPass {
 public:
  BlockPass(const Specification& spec, const FoldProblems& problems, const Vector& units, const Vector& centre,
            const BlockPasses& passes)
      : spec_(spec), problems_(problems), units_(units), centre_(centre), passes_(passes) {}

 private:
  bool read_for(const std::vector<Evaluation*>& evaluations) override {
    const Candidates candidates(evaluations, units_, wants_all_digits(spec_.n_rows));
    const std::optional<Vector> values = passes_.candidate_sums(problems_, centre_, candidates);
    if (values) from_array(*values, candidates).write(candidates, units_, spec_.fit_intercept, evaluations);
    return values.has_value();
  }

  // A pass is dear and candidates are not; what a block gives back stays below some 64 MB.
  Index most_candidates() const override { return std::max<Index>(256, 8'000'000 / spec_.n_features); }
  Index most_curved() const override { return std::max<Index>(1, 16'000'000 / (spec_.n_features * spec_.n_features)); }

  const Specification& spec_;
  const FoldProblems& problems_;
  const Vector& units_;
  const Vector& centre_;
  const BlockPasses& passes_;
};

// The moments of a problem's rows: those of the folds that it does not leave out.
class OwnMoments {
 public:
  OwnMoments(const MomentsOfFolds& all, Index k, bool in_time)
      : values_(static_cast<std::size_t>(FoldMoments::size(all.p, all.has_gram))),
        moments_{.at = values_.data(), .p = all.p, .has_gram = all.has_gram} {
    FoldMoments::clear(values_.data(), all.p, all.has_gram);
    for (Index f = 0; f < all.count(); ++f) {
      if (!FoldProblems::leaves_out(k, f - 1, in_time)) moments_.join(all[f]);
    }
  }
  OwnMoments(const OwnMoments&) = delete;
  OwnMoments& operator=(const OwnMoments&) = delete;
  ~OwnMoments() = default;

  const FoldMoments& operator*() const { return moments_; }
  const FoldMoments* operator->() const { return &moments_; }
  Vector mean() const { return {moments_.mean(), moments_.mean() + moments_.p}; }

 private:
  Vector values_;
  FoldMoments moments_;
};

constexpr double mean_noise = 1e-24;  // as of a dense design

// Squared error: the targets are y - o less the mean of the first problem's, as CentredTargets has them.
PathResult solve_quadratic(const Specification& spec, const MomentsOfFolds& all, bool in_time, Threads& threads,
                           Monitor& monitor) {
  constexpr double digits = 1e-13;  // to which a response is known
  const Index p = spec.n_features;
  Vector centre;
  std::vector<Problem> problems = blank_problems(spec);
  Summaries summaries(spec, problems, mean_noise);
  for (std::size_t k = 0; k < problems.size(); ++k) {
    const OwnMoments own(all, static_cast<Index>(k), in_time);
    if (k == 0) centre = own.mean();
    problems[k].origin = k > 0 ? problems[0].origin : spec.fit_intercept ? own->target() : 0.0;
    const double variance = own->target_squares() / own->total();
    const double square = variance + own->target() * own->target();
    problems[k].negligible_loss = 0.5 * digits * digits * square;
    summaries.set_target(k, own->target() - problems[k].origin, spec.fit_intercept ? variance : square);
    RowMoments sum(p, 1);
    const double* from = own->products();
    for (Index b = 0; b < p; from += ++b) std::copy_n(from, b + 1, sum.gram.data() + b * p);
    std::copy_n(own->cross(), p, sum.products.data() + p);
    summaries.set_columns({k}, own->total(), std::move(sum), own.mean(), centre);
  }
  if (!spec.fit_intercept) {
    std::ranges::fill(centre, 0.0);
    for (Problem& problem : problems) std::ranges::fill(problem.scaling.shift, 0.0);
  }
  return path_by_moments(summaries.take(), 1.0, spec, problems, centre, threads, monitor);
}

// Of a curved loss: scales, and the null models as far as they are known without another pass.
class CurvedProblems {
 public:
  CurvedProblems(const Specification& spec, const MomentsOfFolds& all, bool in_time)
      : spec_(spec), loss_(spec.family->loss(spec.family_parameter, nullptr, nullptr, 0)), list_(blank_problems(spec)) {
    totals_.in_time = in_time;
    for (Index k = 0; k < spec.n_problems; ++k) {
      const OwnMoments own(all, k, in_time);
      if (k == 0) centre_ = own.mean();
      scale(*own, list_[k].scaling);
      totals_.totals.push_back(own->total());
      nulls_.emplace_back(*loss_, list_[k],
                          Response{.mean = own->target(),
                                   .smallest = own->smallest(),
                                   .largest = own->largest(),
                                   .constant = own->constant() / own->total(),
                                   .largest_offset = own->largest_offset()});
      totals_.least_curvature.push_back(list_[k].least_curvature());
      has_offsets_ = has_offsets_ || own->least_offset() != own->largest_offset();
    }
    if (spec.fit_intercept) return;
    std::ranges::fill(centre_, 0.0);
    for (Problem& problem : list_) std::ranges::fill(problem.scaling.shift, 0.0);
  }

  // Where offsets differ the intercepts take passes of their own, all problems at once. Returns their number, nothing
  // where they were stopped.
  std::optional<Index> fit_intercepts(const BlockPasses& passes) {
    constexpr double near = 1e-5;  // of which a Newton step leaves the square
    Index n_passes = 0;
    const auto is_open = [](const NullModel& null) { return !null.is_done() && null.last_step() > near; };
    while (has_offsets_ && std::ranges::any_of(nulls_, is_open)) {
      Vector intercepts;
      for (const Problem& problem : list_) intercepts.push_back(problem.null_intercept);
      const std::optional<Vector> sums = passes.null_sums(totals_, intercepts);
      if (!sums) return std::nullopt;
      for (std::size_t k = 0; k < nulls_.size(); ++k) {
        if (is_open(nulls_[k])) nulls_[k].step((*sums)[2 * k], (*sums)[2 * k + 1]);
      }
      ++n_passes;
    }
    return n_passes;
  }

  std::vector<Problem>& list() { return list_; }
  const FoldProblems& totals() const { return totals_; }
  const Vector& centre() const { return centre_; }

 private:
  void scale(const FoldMoments& own, Scaling& scaling) const {
    for (Index j = 0; j < own.p; ++j) {
      const double shift = own.mean()[j] - centre_[j];
      const double variance = own.square(j) / own.total();
      const bool counts = spec_.fit_intercept || spec_.standardize;
      const bool is_constant = counts && variance <= variance_noise(mean_noise, variance + shift * shift, centre_[j]);
      scaling.shift.push_back(shift);
      scaling.scale.push_back(is_constant ? 0.0 : (spec_.standardize ? std::sqrt(variance) : 1.0));
    }
  }

  const Specification& spec_;
  std::unique_ptr<const Loss> loss_;
  std::vector<Problem> list_;
  FoldProblems totals_;
  Vector centre_;
  std::vector<NullModel> nulls_;
  bool has_offsets_ = false;
};

PathResult solve_curved(const Specification& spec, const MomentsOfFolds& all, bool in_time, const BlockPasses& passes,
                        Threads& threads, Monitor& monitor) {
  CurvedProblems problems(spec, all, in_time);
  const std::optional<Index> n_passes = problems.fit_intercepts(passes);
  if (!n_passes) monitor.stop();
  const Vector units = common_units(spec, problems.list());
  BlockPass pass(spec, problems.totals(), units, problems.centre(), passes);
  PathResult result = path_by_windows(pass, units, spec, problems.list(), problems.centre(), threads, monitor);
  result.n_sweeps += 1.0 + static_cast<double>(n_passes.value_or(0));
  return result;
}

}  // namespace

bool takes_blocks(const Family& family) {
  return family.loss != nullptr && family.is_separable && (family.is_quadratic || !family.is_piecewise);
}

PathResult solve_row_blocks(const Specification& spec, const MomentsOfFolds& moments, bool in_time,
                            const BlockPasses& passes, Threads& threads, const Monitor::Poll& poll) {
  Monitor monitor(poll);
  return spec.family->is_quadratic ? solve_quadratic(spec, moments, in_time, threads, monitor)
                                   : solve_curved(spec, moments, in_time, passes, threads, monitor);
}

}  // namespace normball
