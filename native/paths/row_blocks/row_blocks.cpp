// Squared error needs the moments of the first pass alone. A curved loss goes through windows of lambdas; each of its
// passes is a sum over blocks.
#include "paths/row_blocks/row_blocks.hpp"

#include "paths/moments/moment_path.hpp"
#include "paths/windows/block_values.hpp"
#include "paths/windows/output_rows.hpp"
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
    if (!values) return false;
    if (spec_.n_outputs > 1) {
      write_output_sums(*values, candidates, evaluations);
    } else {
      from_array(*values, candidates).write(candidates, units_, spec_.fit_intercept, evaluations);
    }
    return true;
  }

  // A pass is dear and candidates are not; what a block gives back stays below some 64 MB.
  Index most_candidates() const override { return std::max<Index>(256, 8'000'000 / n_coefs()); }
  Index most_curved() const override { return std::max<Index>(1, 16'000'000 / (n_coefs() * n_coefs())); }
  Index n_coefs() const { return spec_.n_features * spec_.n_outputs; }

  const Specification& spec_;
  const FoldProblems& problems_;
  const Vector& units_;
  const Vector& centre_;
  const BlockPasses& passes_;
};

// The moments of a problem's rows: those of the folds that it does not leave out.
class OwnMoments {
 public:
  OwnMoments(const MomentsOfFolds& all, Index k, const FoldPlan& folds)
      : values_(static_cast<std::size_t>(all.shape.size())), moments_{.at = values_.data(), .shape = all.shape} {
    moments_.clear();
    for (Index f = 0; f < all.count(); ++f) {
      if (folds.has(k, f)) moments_.join(all[f]);
    }
  }
  OwnMoments(const OwnMoments&) = delete;
  OwnMoments& operator=(const OwnMoments&) = delete;
  ~OwnMoments() = default;

  const FoldMoments& operator*() const { return moments_; }
  const FoldMoments* operator->() const { return &moments_; }
  Vector mean() const { return {moments_.mean(), moments_.mean() + moments_.shape.p}; }

  // of weights with sum 1, about the means or about 0: the upper triangle of some columns, of which each is once in it
  Vector covariances(const std::vector<Index>& members, bool about_means) const {
    const auto m = std::ssize(members);
    Vector out(static_cast<std::size_t>(m * m), 0.0);
    for (Index c = 0; c < m; ++c) {
      for (Index a = 0; a <= c; ++a) {
        const auto [i, j] = std::minmax(members[a], members[c]);
        out[c * m + a] = moments_.products()[j * (j + 1) / 2 + i] / moments_.total();
        if (!about_means) out[c * m + a] += moments_.mean()[i] * moments_.mean()[j];
      }
    }
    return out;
  }

 private:
  Vector values_;
  FoldMoments moments_;
};

constexpr double mean_noise = 1e-24;  // as of a dense design
constexpr double digits = 1e-13;      // to which a response is known

// shift and scale of columns about `centre`
Scaling scaling_of(const Specification& spec, const FoldMoments& own, const Vector& centre) {
  Scaling scaling;
  for (Index j = 0; j < own.shape.p; ++j) {
    const double shift = own.mean()[j] - centre[j];
    const double variance = own.square(j) / own.total();
    const bool counts = spec.fit_intercept || spec.standardize;
    const bool is_constant = counts && variance <= variance_noise(mean_noise, variance + shift * shift, centre[j]);
    scaling.shift.push_back(spec.fit_intercept ? shift : 0.0);
    scaling.scale.push_back(is_constant ? 0.0 : (spec.standardize ? std::sqrt(variance) : 1.0));
  }
  return scaling;
}

// Squared error: a single target is y - o less the mean of the first problem's, as CentredTargets has it.
PathResult solve_quadratic(const Specification& spec, const MomentsOfFolds& all, const FoldPlan& folds,
                           Threads& threads, Monitor& monitor) {
  const Index p = spec.n_features;
  Vector centre;
  std::vector<Problem> problems = blank_problems(spec);
  Summaries summaries(spec, problems, mean_noise);
  for (std::size_t k = 0; k < problems.size(); ++k) {
    Problem& problem = problems[k];
    const OwnMoments own(all, static_cast<Index>(k), folds);
    if (k == 0) centre = own.mean();
    if (spec.n_outputs == 1) problem.origin = k > 0 ? problems[0].origin : spec.fit_intercept ? own->target(0) : 0.0;
    RowMoments sum(p, static_cast<std::size_t>(spec.n_outputs));
    const double* from = own->products();
    for (Index b = 0; b < p; from += ++b) std::copy_n(from, b + 1, sum.gram.data() + b * p);
    Vector means;
    double about_null = 0.0;
    for (Index o = 0; o < spec.n_outputs; ++o) {
      const double variance = own->target_squares(o) / own->total();
      const double square = variance + own->target(o) * own->target(o);
      problem.negligible_loss += 0.5 * digits * digits * square;
      about_null += spec.fit_intercept ? variance : square;
      means.push_back(own->target(o) - problem.origin);
      std::copy_n(own->cross(o), p, sum.products.data() + (1 + o) * p);
    }
    summaries.set_targets(k, std::move(means), about_null);
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
  static constexpr Index most_passes = 50;  // for intercepts

 public:
  CurvedProblems(const Specification& spec, const MomentsOfFolds& all, const FoldPlan& folds)
      : spec_(spec), all_(all), list_(blank_problems(spec)), starts_(list_.size()) {
    totals_.folds = folds;
    if (spec.n_outputs == 1) loss_ = spec.family->loss(spec.family_parameter, nullptr, nullptr, 0);
    for (Index k = 0; k < spec.n_problems; ++k) {
      const OwnMoments own(all, k, folds);
      if (k == 0) centre_ = own.mean();
      list_[k].scaling = scaling_of(spec, *own, centre_);
      totals_.totals.push_back(own->total());
      if (spec.n_outputs == 1) {
        nulls_.emplace_back(*loss_, list_[k],
                            Response{.mean = own->target(0),
                                     .smallest = own->smallest(0),
                                     .largest = own->largest(0),
                                     .constant = own->constant() / own->total(),
                                     .largest_offset = own->largest_offset(0)});
        needs_passes_ = needs_passes_ || loss_->is_piecewise || own->least_offset(0) != own->largest_offset(0);
        if (loss_->is_location) start_location(*own, list_[k]);
      } else {
        start_outputs(*own, k);
      }
      totals_.least_curvature.push_back(list_[k].least_curvature());
    }
    if (!spec.fit_intercept) std::ranges::fill(centre_, 0.0);
  }

  // Where offsets differ, or the mean is not the best, the intercepts take passes of their own, all problems at once.
  // Returns their number, nothing where they were stopped.
  std::optional<Index> fit_intercepts(const BlockPasses& passes) {
    return spec_.n_outputs == 1 ? fit_one(passes) : fit_several(passes);
  }

  // once intercepts are fitted
  ValuesOfProblems values(const Vector& units) {
    if (spec_.is_separable()) return single_values(list_, units);
    ValuesOfProblems found;
    for (std::size_t k = 0; k < list_.size(); ++k) {
      const OwnMoments own(all_, static_cast<Index>(k), totals_.folds);
      const auto covariances = [&](const std::vector<Index>& members) {
        return own.covariances(members, spec_.fit_intercept);
      };
      FeatureBlocks blocks(list_[k], covariances);
      found.push_back(std::make_unique<BlockValues>(list_[k], std::move(blocks), units, intercepts_of(k)));
    }
    return found;
  }
  Vector null_intercepts() const {
    Vector found;
    for (std::size_t k = 0; k < list_.size(); ++k) {
      const Vector own = intercepts_of(k);
      found.insert(found.end(), own.begin(), own.end());
    }
    return found;
  }

  std::vector<Problem>& list() { return list_; }
  const FoldProblems& totals() const { return totals_; }
  const Vector& centre() const { return centre_; }

 private:
  Vector intercepts_of(std::size_t k) const {
    return spec_.n_outputs == 1 ? Vector{list_[k].null_intercept} : starts_[k];
  }

  // begins at the mean
  void start_location(const FoldMoments& own, Problem& problem) {
    const double variance = own.target_squares(0) / own.total();
    problem.negligible_loss = 0.5 * digits * digits * (variance + own.target(0) * own.target(0));
    if (spec_.fit_intercept) problem.null_intercept = own.target(0);
  }

  std::optional<Index> fit_one(const BlockPasses& passes) {
    // of which a Newton step leaves the square; a location's is known in no unit, and goes on to its last digits
    const double near = loss_->is_location ? 0.0 : 1e-5;
    Index n_passes = 0;
    const auto is_open = [near](const NullModel& null) { return !null.is_done() && null.last_step() > near; };
    while (needs_passes_ && n_passes < most_passes && std::ranges::any_of(nulls_, is_open)) {
      Vector intercepts;
      for (const Problem& problem : list_) intercepts.push_back(problem.null_intercept);
      const std::optional<Vector> sums = passes.null_sums(totals_, intercepts);
      if (!sums) return std::nullopt;
      for (std::size_t k = 0; k < nulls_.size(); ++k) {
        if (is_open(nulls_[k])) nulls_[k].step((*sums)[3 * k], (*sums)[3 * k + 1], (*sums)[3 * k + 2]);
      }
      ++n_passes;
    }
    return n_passes;
  }

  std::optional<Index> fit_several(const BlockPasses& passes) {
    constexpr double near = 1e-8;  // of which a Newton step leaves the square
    Index n_passes = 0;
    for (double last = infinity; needs_passes_ && spec_.fit_intercept && last > near && n_passes < most_passes;
         ++n_passes) {
      const Vector intercepts = null_intercepts();
      const std::optional<Vector> sums = passes.null_sums(totals_, intercepts);
      if (!sums) return std::nullopt;
      std::vector<Evaluation> seen(list_.size());
      std::vector<Evaluation*> places;
      for (Evaluation& one : seen) {
        one.curvature = std::make_shared<WindowCurvature>();
        places.push_back(&one);
      }
      write_output_sums(*sums, null_candidates(intercepts, spec_.n_outputs), places);
      last = 0.0;
      for (std::size_t k = 0; k < seen.size(); ++k) {
        last = std::max(last, step(starts_[k], seen[k].curvature->matrix, std::move(seen[k].residual)));
      }
    }
    return n_passes;
  }

  // Newton's, no longer than 1 in any output; its length, 0 where there is none. What all outputs have in common stays
  // where the loss does not see it.
  double step(Vector& intercepts, Vector& curvature, Vector change) const {
    const Index count = spec_.n_outputs;
    double size = 0.0;
    for (Index k = 0; k < count; ++k) size += curvature[k * (count + 1)] / static_cast<double>(count);
    for (double& entry : curvature) entry += is_shift_invariant_ ? size : 0.0;
    for (Index k = 0; k < count; ++k) curvature[k * (count + 1)] += 1e-12 * size;
    if (!linalg::cholesky(count, curvature.data(), count)) return 0.0;
    linalg::cholesky_solve(count, curvature.data(), count, change.data());
    if (!std::ranges::all_of(change, [](double one) { return std::isfinite(one); })) return 0.0;
    double longest = 0.0;
    for (const double one : change) longest = std::max(longest, std::abs(one));
    for (Index k = 0; k < count; ++k) intercepts[k] -= change[k] / std::max(1.0, longest);
    return longest;
  }

  void start_outputs(const FoldMoments& own, Index k) {
    const auto loss = spec_.family->outputs_loss(spec_.n_outputs, nullptr, nullptr, 0);
    list_[k].constant = own.constant() / own.total();
    list_[k].mean_curvature = loss->curvature_at(own.targets());
    is_shift_invariant_ = loss->traits.is_shift_invariant;
    starts_[k].assign(static_cast<std::size_t>(spec_.n_outputs), 0.0);
    if (!spec_.fit_intercept) return;
    Vector largest_offsets;
    for (Index o = 0; o < spec_.n_outputs; ++o) {
      needs_passes_ = needs_passes_ || own.least_offset(o) != own.largest_offset(o);
      largest_offsets.push_back(own.largest_offset(o));
    }
    starts_[k] = null_start(*loss, own.targets(), largest_offsets);
  }

  const Specification& spec_;
  const MomentsOfFolds& all_;
  std::unique_ptr<const Loss> loss_;
  std::vector<Problem> list_;
  std::vector<Vector> starts_;  // intercepts of each
  FoldProblems totals_;
  Vector centre_;
  std::vector<NullModel> nulls_;
  bool needs_passes_ = false;
  bool is_shift_invariant_ = false;
};

PathResult solve_curved(const Specification& spec, const MomentsOfFolds& all, const FoldPlan& folds,
                        const BlockPasses& passes, Threads& threads, Monitor& monitor) {
  CurvedProblems problems(spec, all, folds);
  const std::optional<Index> n_passes = problems.fit_intercepts(passes);
  if (!n_passes) monitor.stop();
  const Vector units = common_units(spec, problems.list());
  BlockPass pass(spec, problems.totals(), units, problems.centre(), passes);
  PathResult result =
      path_by_windows(pass, problems.values(units), spec, problems.list(), problems.centre(), threads, monitor);
  if (spec.n_outputs > 1) result.null_intercepts = problems.null_intercepts();
  result.n_sweeps += 1.0 + static_cast<double>(n_passes.value_or(0));
  return result;
}

}  // namespace

bool needs_gram(const Specification& spec) {
  return spec.family->is_quadratic || (!spec.groups.of_feature.empty() && spec.groups.is_orthonormal);
}

PathResult solve_row_blocks(const Specification& spec, const MomentsOfFolds& moments, const FoldPlan& folds,
                            const BlockPasses& passes, Threads& threads, const Monitor::Poll& poll) {
  Monitor monitor(poll);
  return spec.family->is_quadratic ? solve_quadratic(spec, moments, folds, threads, monitor)
                                   : solve_curved(spec, moments, folds, passes, threads, monitor);
}

}  // namespace normball
