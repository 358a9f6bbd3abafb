#include "paths/row_blocks/block_rows.hpp"

#include "core/blas.hpp"
#include "paths/windows/candidate_rows.hpp"
#include "paths/windows/output_rows.hpp"
#include "problem/null_model.hpp"

namespace normball {
namespace {

// The losses of all problems on the rows of a block, with weights of sum 1 over all blocks.
class BlockLosses {
 public:
  BlockLosses(const BlockRows& rows, const FoldProblems& problems) {
    for (std::size_t k = 0; k < problems.totals.size(); ++k) {
      const Vector& own = weights_.emplace_back(weights_of(rows, problems, static_cast<Index>(k)));
      losses_.push_back(rows.family->loss(rows.parameter, rows.y, own.data(), rows.n_rows));
    }
  }
  const Losses& losses() const { return losses_; }

 private:
  std::vector<Vector> weights_;
  Losses losses_;
};

// Few rows at a time, sorted by fold, so that each fold's share of them is one product of matrices about its own means.
class SortedRows {
 public:
  SortedRows(const BlockRows& rows, const FoldPlan& folds, Index repeat, Index length)
      : rows_(rows),
        fold_(rows.fold == nullptr ? nullptr : rows.fold + repeat * rows.n_rows),
        repeat_(repeat),
        length_(length),
        start_(static_cast<std::size_t>(folds.n_folds) + 2) {
    const Index p = rows.design->n_cols;
    zeros_.assign(static_cast<std::size_t>(p), 0.0);
    as_stored_ = rows.design->about(zeros_.data());
    stored_.resize(static_cast<std::size_t>(length * p));
    sorted_.resize(stored_.size());
    place_.resize(static_cast<std::size_t>(length));
    for (Vector* one : {&weights_, &roots_}) one->resize(static_cast<std::size_t>(length));
    for (Vector* one : {&targets_, &rooted_}) one->resize(static_cast<std::size_t>(length * rows.n_outputs));
  }

  // joins what the rows [first, first + count) add up to `out`; `own` is room for the moments of one fold
  void add(Index first, Index count, const MomentsOfFolds& out, Vector& own) {
    sort(first, count, out);
    const Index p = out.shape.p;
    const Columns all{.list = nullptr, .count = p};
    as_stored_->pack_rows(all, first, count, stored_.data(), length_);
    if (is_in_order_) {
      std::swap(stored_, sorted_);
    } else {
      for (Index j = 0; j < p; ++j) {
        for (Index r = 0; r < count; ++r) {
          if (place_[r] >= 0) sorted_[j * length_ + place_[r]] = stored_[j * length_ + r];
        }
      }
    }
    for (Index f = 0; f < out.count(); ++f) {
      if (start_[f + 1] == start_[f]) continue;
      const FoldMoments moments{.at = own.data(), .shape = out.shape};
      moments.clear();
      take_targets(start_[f], start_[f + 1], moments);
      take_columns(start_[f], start_[f + 1], moments);
      out[f].join(moments);
    }
  }

 private:
  Index fold_of(Index i) const { return fold_ == nullptr ? 0 : fold_[i] + 1; }
  // what no fold holds out is the same in all repeats
  bool is_new(Index i) const { return repeat_ == 0 || fold_of(i) > 0; }

  void sort(Index first, Index count, const MomentsOfFolds& out) {
    std::ranges::fill(start_, 0);
    for (Index i = first; i < first + count; ++i) {
      if (!is_new(i)) continue;
      out[fold_of(i)].n_rows() += 1.0;
      if (rows_.weights[i] > 0.0) ++start_[fold_of(i) + 1];
    }
    for (std::size_t f = 1; f < start_.size(); ++f) start_[f] += start_[f - 1];
    std::vector<Index> next = start_;
    is_in_order_ = true;
    for (Index r = 0; r < count; ++r) {
      const Index i = first + r;
      place_[r] = is_new(i) && rows_.weights[i] > 0.0 ? next[fold_of(i)]++ : -1;
      is_in_order_ = is_in_order_ && place_[r] == r;
      if (place_[r] < 0) continue;
      weights_[place_[r]] = rows_.weights[i];
      roots_[place_[r]] = std::sqrt(rows_.weights[i]);
      for (Index k = 0; k < rows_.n_outputs; ++k) {
        const double offset = rows_.offset[i * rows_.n_outputs + k];
        const double target = rows_.y[i * rows_.n_outputs + k];
        targets_[k * length_ + place_[r]] = target - (rows_.family->is_location ? offset : 0.0);
        rooted_[k * length_ + place_[r]] = offset;  // until its smallest and largest are taken
      }
    }
  }

  void take_targets(Index begin, Index end, const FoldMoments& out) {
    out.n_weighted() = static_cast<double>(end - begin);
    for (Index r = begin; r < end; ++r) out.total() += weights_[r];
    out.constant() = constant(begin, end);
    for (Index k = 0; k < rows_.n_outputs; ++k) {
      const double* target = targets_.data() + k * length_;
      double* rooted = rooted_.data() + k * length_;
      const auto [least, most] = std::minmax_element(target + begin, target + end);
      const auto [least_offset, most_offset] = std::minmax_element(rooted + begin, rooted + end);
      out.smallest(k) = *least;
      out.largest(k) = *most;
      out.least_offset(k) = *least_offset;
      out.largest_offset(k) = *most_offset;
      out.target(k) = mean_of(target, begin, end, out.total());
      for (Index r = begin; r < end; ++r) {
        rooted[r] = roots_[r] * (target[r] - out.target(k));
        out.target_squares(k) += rooted[r] * rooted[r];
      }
    }
  }

  double constant(Index begin, Index end) const {
    const Index count = end - begin;
    const double* weights = weights_.data() + begin;
    if (rows_.n_outputs == 1) {
      return rows_.family->loss(rows_.parameter, targets_.data() + begin, weights, count)->constant();
    }
    Vector targets;  // without gaps between outputs
    for (Index k = 0; k < rows_.n_outputs; ++k) {
      targets.insert(targets.end(), targets_.begin() + k * length_ + begin, targets_.begin() + k * length_ + end);
    }
    return rows_.family->outputs_loss(rows_.n_outputs, targets.data(), weights, count)->constant();
  }

  void take_columns(Index begin, Index end, const FoldMoments& out) {
    const Index count = end - begin;
    const auto& [p, n_targets, has_gram] = out.shape;
    for (Index j = 0; j < p; ++j) {
      double* x = sorted_.data() + j * length_;
      out.mean()[j] = mean_of(x, begin, end, out.total());
      for (Index r = begin; r < end; ++r) x[r] = roots_[r] * (x[r] - out.mean()[j]);
      if (!has_gram) out.products()[j] = kernels::dot(x + begin, 0.0, x + begin, count);
      for (Index k = 0; k < n_targets && has_gram; ++k) {
        out.cross(k)[j] = kernels::dot(x + begin, 0.0, rooted_.data() + k * length_ + begin, count);
      }
    }
    if (!has_gram) return;
    gram_.assign(static_cast<std::size_t>(p * p), 0.0);
    linalg::add_at_a(p, count, 1.0, sorted_.data() + begin, length_, gram_.data(), p);
    double* to = out.products();
    for (Index b = 0; b < p; ++b) to = std::copy_n(gram_.data() + b * p, b + 1, to);
  }

  // exact where all are the same
  double mean_of(const double* x, Index begin, Index end, double total) const {
    return x[begin] + kernels::dot(x + begin, x[begin], weights_.data() + begin, end - begin) / total;
  }

  const BlockRows& rows_;
  const std::int32_t* fold_;
  Index repeat_;
  Index length_;
  Vector zeros_;
  std::unique_ptr<Design> as_stored_;
  Vector stored_;  // length x p
  Vector sorted_;  // the same by fold
  std::vector<Index> start_;
  std::vector<Index> place_;  // of each row among the sorted, -1 without weight
  bool is_in_order_ = false;
  Vector weights_;
  Vector roots_;
  Vector targets_;  // length x n_outputs
  Vector rooted_;   // centred targets times roots
  Vector gram_;
};

}  // namespace

Vector weights_of(const BlockRows& rows, const FoldProblems& problems, Index problem) {
  Vector own(static_cast<std::size_t>(rows.n_rows));
  const FoldPlan& folds = problems.folds;
  const std::int32_t* fold = rows.fold == nullptr ? nullptr : rows.fold + folds.repeat_of(problem) * rows.n_rows;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const bool is_left_out = fold != nullptr && folds.leaves_out(problem, fold[i]);
    own[i] = is_left_out ? 0.0 : rows.weights[i] / problems.totals[problem];
  }
  return own;
}

void add_moments(const BlockRows& rows, const FoldPlan& folds, const MomentsOfFolds& out) {
  constexpr Index rows_of_a_fold = 256;
  const Index length = std::min(rows.n_rows, rows_of_a_fold * (1 + folds.in_a_repeat()));
  Vector own(static_cast<std::size_t>(out.shape.size()));
  for (Index repeat = 0; repeat < folds.n_repeats; ++repeat) {
    SortedRows sorted(rows, folds, repeat, length);
    for (Index first = 0; first < rows.n_rows; first += length) {
      sorted.add(first, std::min(length, rows.n_rows - first), out, own);
    }
  }
}

Vector null_sums(const BlockRows& rows, const FoldProblems& problems, const double* intercepts) {
  const BlockLosses block(rows, problems);
  Vector out;
  Vector eta(static_cast<std::size_t>(rows.n_rows));
  Vector curvature(eta.size());
  for (std::size_t k = 0; k < problems.totals.size(); ++k) {
    for (std::size_t i = 0; i < eta.size(); ++i) eta[i] = rows.offset[i] + intercepts[k];
    out.push_back(block.losses()[k]->evaluate(eta.data(), {.curvature = curvature.data()}).residual);
    out.push_back(0.0);
    for (const double d : curvature) out.back() += d;
    out.push_back(out.back());
    if (block.losses()[k]->is_piecewise) out.back() = NullModel::majorant(*block.losses()[k], eta, curvature);
  }
  return out;
}

Vector output_sums(const BlockRows& rows, const FoldProblems& problems, const Candidates& candidates) {
  const std::size_t n_problems = problems.totals.size();
  RowsOfOutputs own{.design = rows.design,
                    .family = rows.family,
                    .targets = std::vector(n_problems, rows.y),
                    .offsets = std::vector(n_problems, rows.offset),
                    .weights = {}};
  std::vector<Vector> weights;
  weights.reserve(n_problems);
  for (std::size_t k = 0; k < n_problems; ++k) {
    own.weights.push_back(weights.emplace_back(weights_of(rows, problems, static_cast<Index>(k))).data());
  }
  return output_sums(own, candidates, 0, rows.n_rows);
}

Candidates null_candidates(const Vector& intercepts, Index n_outputs) {
  Candidates asked;
  asked.n_outputs = n_outputs;
  asked.constant = intercepts;
  for (Index k = 0; k < std::ssize(intercepts) / n_outputs; ++k) asked.problem.push_back(k);
  asked.digits.assign(asked.problem.size(), Digits::all);
  asked.find_curved();
  return asked;
}

Vector candidate_sums(const BlockRows& rows, const FoldProblems& problems, const Candidates& candidates) {
  const BlockLosses block(rows, problems);
  const CandidateRows::Problems on_rows{.losses = block.losses(),
                                        .offsets = std::vector(problems.totals.size(), rows.offset),
                                        .least_curvature = problems.least_curvature};
  const CandidateSums sums = CandidateRows(*rows.design, rows.first_row, on_rows, candidates).sums(0, rows.n_rows);
  Vector out = sums.products;
  for (const RowSums& one : sums.sums) out.insert(out.end(), {one.loss, one.residual, one.pearson, one.squares});
  out.insert(out.end(), sums.totals.begin(), sums.totals.end());
  const Index p = candidates.n_features;
  for (Index h = 0; h < candidates.n_curved(); ++h) {
    for (Index b = 0; b < p; ++b) {
      for (Index a = 0; a <= b; ++a) out.push_back(sums.entry(h, p, a, b));
    }
  }
  return out;
}

CandidateSums from_array(const Vector& values, const Candidates& candidates) {
  const Index p = candidates.n_features;
  const double* from = values.data();
  CandidateSums out;
  out.products.assign(from, from + p * candidates.n_targets());
  from += p * candidates.n_targets();
  for (Index c = 0; c < candidates.count(); ++c, from += 4) {
    out.sums.push_back({.loss = from[0], .residual = from[1], .pearson = from[2], .squares = from[3]});
  }
  out.totals.assign(from, from + candidates.n_curved());
  from += candidates.n_curved();
  out.roughs.resize(out.totals.size());
  for (Index h = 0; h < candidates.n_curved(); ++h) {
    Vector& gram = out.grams.emplace_back(static_cast<std::size_t>(p * p), 0.0);
    for (Index b = 0; b < p; from += ++b) std::copy_n(from, b + 1, gram.data() + b * p);
  }
  return out;
}

}  // namespace normball
