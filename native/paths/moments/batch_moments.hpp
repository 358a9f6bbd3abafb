// The moments of every problem of the batch, X'WX and X'Wy about the problem's own means, from one read of X. Targets
// are centred (CentredTargets), each a column. (M11)
//
// Columns are centred at a guess of their means, corrected to the true ones afterwards; a guess that turns out too
// far off is replaced by the means it led to, and X is read again. Where the problems are folds (weights that are 0
// or common to all), the rows held out together form a group and a problem is the sum of its groups: K folds cost as
// much as one fit. Other weights cost the rows that differ from the first problem's.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "problem/summaries.hpp"

namespace normball {

class BatchMoments {
 public:
  BatchMoments(Design& design, Vector& centre, const Specification& spec, std::vector<Problem>& problems,
               Threads& threads)
      : design_(design),
        centre_(centre),
        spec_(spec),
        problems_(problems),
        threads_(threads),
        summaries_(spec, problems, design.mean_noise) {
    take_targets();
    centre_.assign(static_cast<std::size_t>(spec.n_features), 0.0);
    Vector guess(centre_.size(), 0.0);
    design_.centre = centre_.data();
    n_reads_ += design_.guess_centre(spec.weights, guess.data(), threads);
    centre_ = std::move(guess);
    design_.centre = centre_.data();
    if (auto folds = as_folds()) {
      read_folds(*folds);
    } else {
      read_changes();
    }
    if (spec.fit_intercept) return;
    std::ranges::fill(centre_, 0.0);
    for (Problem& problem : problems_) std::ranges::fill(problem.scaling.shift, 0.0);
  }

  std::vector<Summary> take() { return summaries_.take(); }
  double n_reads() const { return n_reads_; }

 private:
  // With fewer a group's part of a block of rows is too short for BLAS, and the rows that change are cheaper.
  static constexpr Index rows_per_group = 1024;

  struct Folds {
    RowGroups groups;
    std::vector<std::vector<bool>> uses;  // of each problem: its groups
  };

  void take_targets() {
    const Index n = spec_.n_rows;
    totals_.assign(problems_.size(), 0.0);
    for (std::size_t k = 0; k < problems_.size(); ++k) {
      const double* w = weights(k);
      for (Index i = 0; i < n; ++i) totals_[k] += w[i];
      Vector means;
      double sum = 0.0;
      for (const double* target : targets_of(k)) {
        if (target_of(k) == k) targets_.push_back(target);
        double mean = 0.0;
        for (Index i = 0; i < n; ++i) mean += w[i] * target[i];
        means.push_back(mean / totals_[k]);
        const double null = spec_.fit_intercept ? means.back() : 0.0;
        for (Index i = 0; i < n; ++i) sum += w[i] * (target[i] - null) * (target[i] - null);
      }
      summaries_.set_targets(k, std::move(means), sum / totals_[k]);
    }
  }

  const double* weights(std::size_t k) const { return spec_.weights + static_cast<Index>(k) * spec_.n_rows; }
  // whose targets are those of problem k
  std::size_t target_of(std::size_t k) const { return spec_.responses.is_shared() ? 0 : k; }
  std::vector<const double*> targets_of(std::size_t k) const {
    std::vector<const double*> found;
    found.reserve(static_cast<std::size_t>(spec_.n_outputs));
    for (Index o = 0; o < spec_.n_outputs; ++o) found.push_back(problems_[k].y + o * spec_.n_rows);
    return found;
  }

  // The groups of rows that the problems hold out together; none where the weights are no folds or the groups too many.
  std::optional<Folds> as_folds() const {
    const auto n = static_cast<std::size_t>(spec_.n_rows);
    const Index room = spec_.n_rows * spec_.n_features / 8 / (spec_.n_features * spec_.n_features + 1);
    const Index most = std::clamp<Index>(std::min(room, spec_.n_rows / rows_per_group), 1, 64);
    Folds folds;
    RowGroups& groups = folds.groups;
    groups.d.assign(n, 0.0);
    groups.group.assign(n, 0);
    for (std::size_t k = 0; k < problems_.size(); ++k) {
      for (std::size_t i = 0; i < n; ++i) groups.d[i] = std::max(groups.d[i], weights(k)[i]);
    }
    for (std::size_t i = 0; i < n; ++i) groups.group[i] = groups.d[i] > 0.0 ? 0 : -1;
    for (std::size_t k = 0; k < problems_.size(); ++k) {
      const double* w = weights(k);
      std::vector<std::int32_t> split(static_cast<std::size_t>(2 * groups.count), -1);
      Index count = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (groups.group[i] < 0) continue;
        if (w[i] != 0.0 && w[i] != groups.d[i]) return std::nullopt;
        std::int32_t& id = split[2 * groups.group[i] + (w[i] != 0.0)];
        if (id < 0) id = static_cast<std::int32_t>(count++);
        groups.group[i] = id;
      }
      groups.count = count;
      if (count > most) return std::nullopt;
    }
    folds.uses.assign(problems_.size(), std::vector<bool>(static_cast<std::size_t>(groups.count)));
    for (std::size_t k = 0; k < problems_.size(); ++k) {
      for (std::size_t i = 0; i < n; ++i) {
        if (groups.group[i] >= 0 && weights(k)[i] != 0.0) folds.uses[k][groups.group[i]] = true;
      }
    }
    return folds;
  }

  // Sums of groups, never differences: what is 0 on all rows of a problem stays exactly 0.
  void read_folds(Folds& folds) {
    folds.groups.targets = targets_;
    std::map<std::vector<bool>, std::vector<std::size_t>> sharing;
    for (std::size_t k = 0; k < problems_.size(); ++k) sharing[folds.uses[k]].push_back(k);
    std::vector<RowMoments> parts;
    const auto sum_of = [&](const std::vector<bool>& uses) {
      RowMoments sum(spec_.n_features, targets_.size());
      for (std::size_t g = 0; g < parts.size(); ++g) {
        if (uses[g]) sum.add(parts[g], 1.0);
      }
      return sum;
    };
    parts = read(folds.groups);
    if (recentre(sum_of(folds.uses[0]))) parts = read(folds.groups);
    const std::vector<std::pair<std::vector<bool>, std::vector<std::size_t>>> sets(sharing.begin(), sharing.end());
    Vector read_again(sets.size());
    threads_.parallel_for(static_cast<Index>(sets.size()), [&](Index s) {
      RowMoments sum = sum_of(sets[s].first);
      const std::size_t k = sets[s].second[0];
      if (is_far(k, sum)) {
        read_again[s] = static_cast<double>(spec_.n_rows);
        finish_far(sets[s].second, targets_, sum);
      } else {
        finish(sets[s].second, std::move(sum), centre_);
      }
    });
    for (const double rows : read_again) n_reads_ += rows / static_cast<double>(spec_.n_rows);
  }

  // Any weights: the first problem in full, the others from the rows whose weight is another.
  void read_changes() {
    RowGroups first = rows_where(0, [](double w, double) { return w; });
    first.targets = targets_;
    RowMoments total = std::move(read(first)[0]);
    if (recentre(total)) total = std::move(read(first)[0]);
    std::vector<std::size_t> alike;
    std::vector<std::size_t> others;
    for (std::size_t k = 0; k < problems_.size(); ++k) {
      (std::equal(weights(k), weights(k) + spec_.n_rows, spec_.weights) ? alike : others).push_back(k);
    }
    Vector read_rows(others.size());
    threads_.parallel_for(static_cast<Index>(others.size()), [&](Index i) { read_rows[i] = change(others[i], total); });
    for (const double rows : read_rows) n_reads_ += rows / static_cast<double>(spec_.n_rows);
    finish(alike, std::move(total), centre_);
  }

  // returns the number of rows that were read
  double change(std::size_t k, const RowMoments& total) {
    const auto p = static_cast<std::size_t>(spec_.n_features);
    RowGroups rows = rows_where(k, [](double w, double w0) { return std::abs(w - w0); });
    rows.targets = targets_of(k);
    auto n_read = static_cast<double>(rows.members().size());
    RowMoments sum;
    bool is_exact = true;
    if (2.0 * n_read <= static_cast<double>(spec_.n_rows)) {
      rows.count = 2;
      for (std::size_t i = 0; i < rows.group.size(); ++i) {
        if (rows.group[i] >= 0 && weights(k)[i] < spec_.weights[i]) rows.group[i] = 1;
      }
      sum.gram = total.gram;
      sum.products.assign(total.products.begin(), total.products.begin() + static_cast<Index>(p));
      const std::size_t n_targets = rows.targets.size();
      const auto target = total.products.begin() + static_cast<Index>(p * (1 + n_targets * target_of(k)));
      sum.products.insert(sum.products.end(), target, target + static_cast<Index>(n_targets * p));
      const std::vector<RowMoments> parts = design_.moments(rows, threads_);
      sum.add(parts[0], 1.0);
      sum.add(parts[1], -1.0);
      // a column that has lost nearly all of its spread has lost its digits too
      for (std::size_t j = 0; j < p; ++j) is_exact &= spread(k, sum, j) >= 1e-6 * total.gram[j * p + j];
    } else {
      sum = read_alone(k, rows.targets, design_);
      n_read = static_cast<double>(spec_.n_rows);
    }
    if (is_exact && !is_far(k, sum)) {
      finish({k}, std::move(sum), centre_);
      return n_read;
    }
    finish_far({k}, rows.targets, sum);
    return n_read + static_cast<double>(spec_.n_rows);
  }

  RowMoments read_alone(std::size_t k, const std::vector<const double*>& targets, const Design& design) const {
    RowGroups rows = rows_where(k, [](double w, double) { return w; });
    rows.targets = targets;
    return std::move(design.moments(rows, threads_)[0]);
  }

  // The common centre lies far from the means of these problems, which `sum` knows: their rows are read about these.
  void finish_far(const std::vector<std::size_t>& members, const std::vector<const double*>& targets,
                  const RowMoments& sum) {
    Vector centre = centre_;
    move(members[0], sum, centre);
    finish(members, read_alone(members[0], targets, *design_.about(centre.data())), centre);
  }

  template <class WeightOf>
  RowGroups rows_where(std::size_t k, const WeightOf& weight_of) const {
    RowGroups rows;
    rows.d.resize(static_cast<std::size_t>(spec_.n_rows));
    rows.group.resize(rows.d.size());
    for (std::size_t i = 0; i < rows.d.size(); ++i) {
      rows.d[i] = weight_of(weights(k)[i], spec_.weights[i]);
      rows.group[i] = rows.d[i] > 0.0 ? 0 : -1;
    }
    return rows;
  }

  std::vector<RowMoments> read(const RowGroups& groups) {
    n_reads_ += 1.0;
    return design_.moments(groups, threads_);
  }

  // sum of squares about the problem's own mean
  double spread(std::size_t k, const RowMoments& sum, std::size_t j) const {
    return sum.gram[j * (static_cast<std::size_t>(spec_.n_features) + 1)] -
           sum.products[j] * sum.products[j] / totals_[k];
  }

  // Whether the centre lies so far from the means of a problem, in units of a column's own spread, that the correction
  // would cost digits. Two of sixteen are spent at most.
  bool is_far(std::size_t k, const RowMoments& sum) const {
    constexpr double far = 100.0;
    for (std::size_t j = 0; j < centre_.size(); ++j) {
      const double shift = sum.products[j] / totals_[k];
      const double variance = spread(k, sum, j) / totals_[k];
      const double square = variance + shift * shift;
      const bool is_noise = square <= design_.mean_noise * centre_[j] * centre_[j];
      if (is_noise || shift * shift <= far * variance) continue;
      if (variance > 1e-12 * square || !has_one_value(k, static_cast<Index>(j))) return true;
    }
    return false;
  }

  // Whether a column is constant on a problem's rows. Sums far from its mean cannot tell.
  bool has_one_value(std::size_t k, Index j) const {
    const double* w = weights(k);
    double first = 0.0;
    bool is_same = true;
    Index n_seen = 0;
    for_first_entries(design_, j, spec_.n_rows, [&](Index i, double x) {
      if (w[i] == 0.0) return true;
      if (n_seen++ == 0) first = x;
      is_same = x == first;
      return is_same;
    });
    const auto n_present = std::count_if(w, w + spec_.n_rows, [](double weight) { return weight != 0.0; });
    return is_same && (first == 0.0 || n_seen == n_present);  // absent entries are 0
  }

  void move(std::size_t k, const RowMoments& sum, Vector& centre) const {
    for (std::size_t j = 0; j < centre.size(); ++j) centre[j] += sum.products[j] / totals_[k];
  }

  // Moves the centre to the means of the first problem where a guess was too far off.
  bool recentre(const RowMoments& sum) {
    if (!is_far(0, sum)) return false;
    move(0, sum, centre_);
    return true;
  }

  void finish(const std::vector<std::size_t>& members, RowMoments sum, const Vector& centre) {
    summaries_.set_columns(members, totals_[members[0]], std::move(sum), centre, centre_);
  }

  Design& design_;
  Vector& centre_;
  const Specification& spec_;
  std::vector<Problem>& problems_;
  Threads& threads_;
  std::vector<const double*> targets_;  // the distinct responses' columns
  Vector totals_;                       // per problem: sum of weights
  Summaries summaries_;
  double n_reads_ = 0.0;
};

}  // namespace normball
