// The values of blocks of one problem: those of several outputs, or of groups of features, on the scale of their
// penalty. Problems share a curvature in common units; each sees it in its own values.
#pragma once

#include "paths/blocks/block_terms.hpp"
#include "paths/windows/window_values.hpp"

namespace normball {

class BlockValues final : public WindowValues {
 public:
  // `start`: intercepts of the null model, one an output
  BlockValues(Problem& problem, FeatureBlocks&& blocks, const Vector& units, Vector start)
      : problem_(problem),
        spec_(*problem.spec),
        blocks_(std::move(blocks)),
        terms_(blocks_),
        start_(std::move(start)),
        is_shift_invariant_(
            spec_.n_outputs > 1 &&
            spec_.family->outputs_loss(spec_.n_outputs, nullptr, nullptr, 0)->traits.is_shift_invariant) {
    for (Index k = 0; k < spec_.n_outputs; ++k) units_.insert(units_.end(), units.begin(), units.end());
    if (spec_.n_outputs > 1) units_.insert(units_.end(), static_cast<std::size_t>(spec_.n_outputs), 1.0);
    for (Index b = 0; b < blocks_.size(); ++b) add(b);
    first_.push_back(size());
    for (Index k = 0; k < spec_.n_outputs && has_intercept_values(); ++k) {
      entries_.push_back({.column = spec_.n_outputs * spec_.n_features + k, .factor = 1.0});
      begin_.push_back(std::ssize(entries_));
    }
    for (Entry& entry : entries_) entry.in_units = entry.factor * units_[entry.column];
  }

  const Problem& problem() const override { return problem_; }

  Iterate start() const override {
    Iterate at = iterate_at_zero(size());
    if (has_intercept_values()) {
      std::ranges::copy(start_, at.coef.begin() + first_.back());
    } else {
      at.intercept = start_[0];
    }
    return at;
  }
  WindowTerms null_terms() const override {
    return terms_by([&](Index b) { return blocks_.is_free(b) ? ElasticNet{} : Penalty::zero(); },
                    [&](Index b) { return blocks_.is_free(b) ? GroupTerm{} : GroupTerm{.l1 = infinity}; });
  }
  WindowTerms terms(double lambda) const override {
    return terms_by([&](Index b) { return terms_.single_term(b, lambda); },
                    [&](Index b) { return terms_.group_term(b, lambda); });
  }

  bool profiles_intercept() const override { return spec_.fit_intercept && spec_.n_outputs == 1; }
  void set_means(const WindowCurvature& own, Vector& out) const override {
    out.assign(static_cast<std::size_t>(size()), 0.0);
    if (profiles_intercept()) out = own.sums;
  }
  const void* frame() const override { return this; }

  const WindowCurvature* own(const WindowCurvature* shared, WindowCurvature& room) const override {
    const auto q = static_cast<std::size_t>(size());
    const auto width = static_cast<Index>(units_.size());
    room.total = shared->total;
    room.matrix.resize(q * q);
    room.sums.assign(q, 0.0);
    Vector column(units_.size());
    double* to = room.matrix.data();
    for (Index v = 0; v < size(); ++v) {
      std::ranges::fill(column, 0.0);
      for (Index e = begin_[v]; e < begin_[v + 1]; ++e) {
        const auto& [c, factor, in_units] = entries_[e];
        kernels::axpy(in_units, shared->matrix.data() + c * width, 0.0, column.data(), width);
        if (!profiles_intercept()) continue;
        room.sums[v] += in_units * shared->sums[c] - factor * problem_.scaling.shift[c] * shared->total;
      }
      const Entry* entry = entries_.data();
      for (Index u = 0; u < size(); ++u, ++to) {
        *to = 0.0;
        for (const Entry* last = entries_.data() + begin_[u + 1]; entry != last; ++entry) {
          *to += entry->in_units * column[entry->column];
        }
      }
    }
    if (is_shift_invariant_) hold_free(room.matrix);
    return &room;
  }

  void ask(const Vector& values, double intercept, Evaluation& evaluation) const override {
    const Index n_coefs = spec_.n_outputs * spec_.n_features;
    evaluation.coef.assign(static_cast<std::size_t>(n_coefs), 0.0);
    evaluation.constant.assign(static_cast<std::size_t>(spec_.n_outputs), intercept);
    for (Index v = 0; v < size(); ++v) {
      if (values[v] == 0.0) continue;
      for_each_entry(v, [&](Index c, double factor) {
        (c < n_coefs ? evaluation.coef[c] : evaluation.constant[c - n_coefs]) += factor * values[v];
      });
    }
    for (Index j = 0; spec_.n_outputs == 1 && j < n_coefs; ++j) {
      evaluation.constant[0] -= evaluation.coef[j] * problem_.scaling.shift[j];
    }
  }
  void read(const Evaluation& evaluation, Iterate& seen) const override {
    const Index n_coefs = spec_.n_outputs * spec_.n_features;
    const bool is_one = spec_.n_outputs == 1;
    seen.gradient.assign(static_cast<std::size_t>(size()), 0.0);
    for (Index v = 0; v < size(); ++v) {
      for_each_entry(v, [&](Index c, double factor) {
        double product = c < n_coefs ? evaluation.product[c] : evaluation.residual[c - n_coefs];
        if (is_one) product -= problem_.scaling.shift[c] * evaluation.sums.residual;
        seen.gradient[v] += factor * product;
      });
    }
    seen.intercept_gradient = profiles_intercept() ? evaluation.sums.residual : 0.0;
  }

  Certificate certificate(double lambda, const Iterate& at) const override {
    CertifiedBlocks all(problem_, terms_, lambda);
    for_each_block(at, [&](Index b, const double* values, const double* gradient) { all.add(b, values, gradient); });
    return all.certify(at.loss, at.pearson);
  }
  void take_null(const Iterate& at) override {
    normball::take_null(problem_, blocks_, at, [&](const auto& visit) { for_each_block(at, visit); });
  }

  void write(double lambda, const double* centre, const Iterate& at, Point* points) const override {
    Evaluation raw;
    ask(at.coef, at.intercept, raw);
    const Vector common = common_part(problem_, is_shift_invariant_, lambda, [&](const auto& visit) {
      for (Index c = 0; c < std::ssize(raw.coef); ++c) visit(c % spec_.n_features, raw.coef[c]);
    });
    points[0].loss = at.loss;
    const Point of_all = points[0];
    for (Index k = 0; k < spec_.n_outputs; ++k) {
      Point& point = points[k];
      point = of_all;
      point.intercept = raw.constant[k];
      for (Index j = 0; j < spec_.n_features; ++j) {
        const double value = problem_.penalty.clamp(j, raw.coef[k * spec_.n_features + j]) - common[j];
        if (value == 0.0) continue;
        point.features.push_back(static_cast<std::int32_t>(j));
        point.values.push_back(value);
        if (spec_.fit_intercept) point.intercept -= value * centre[j];
      }
    }
    if (!is_shift_invariant_ || !spec_.fit_intercept) return;
    double mean = 0.0;
    for (Index k = 0; k < spec_.n_outputs; ++k) mean += points[k].intercept / static_cast<double>(spec_.n_outputs);
    for (Index k = 0; k < spec_.n_outputs; ++k) points[k].intercept -= mean;
  }

 private:
  struct Entry {
    Index column;
    double factor;
    double in_units = 0.0;  // of a curvature
  };

  Index size() const { return std::ssize(begin_) - 1; }
  bool has_intercept_values() const { return spec_.fit_intercept && spec_.n_outputs > 1; }

  // visit(block, values, gradient); the intercepts come last
  template <class Visit>
  void for_each_block(const Iterate& at, const Visit& visit) const {
    for (Index b = 0; b < blocks_.size(); ++b) visit(b, at.coef.data() + first_[b], at.gradient.data() + first_[b]);
    if (has_intercept_values()) {
      visit(SetColumns::intercept, at.coef.data() + first_.back(), at.gradient.data() + first_.back());
    } else if (spec_.n_outputs == 1) {
      visit(SetColumns::intercept, &at.intercept, &at.intercept_gradient);
    }
  }

  // visit(column, factor) of what a value adds to, in units of the data
  template <class Visit>
  void for_each_entry(Index v, const Visit& visit) const {
    for (Index e = begin_[v]; e < begin_[v + 1]; ++e) visit(entries_[e].column, entries_[e].factor);
  }

  void add(Index b) {
    first_.push_back(size());
    const std::span<const Index> features = blocks_.features(b);
    for (Index k = 0; k < spec_.n_outputs; ++k) {
      for (Index c = 0; c < blocks_.n_coordinates(b); ++c) {
        for (std::size_t m = 0; m < features.size(); ++m) {
          const double factor = blocks_.transform(b, c, m);
          if (factor != 0.0) entries_.push_back({.column = k * spec_.n_features + features[m], .factor = factor});
        }
        begin_.push_back(std::ssize(entries_));
      }
    }
  }

  template <class Single, class Group>
  WindowTerms terms_by(const Single& single, const Group& group) const {
    if (!terms_.joins_values()) {
      std::vector<ElasticNet> list;
      for (Index b = 0; b < blocks_.size(); ++b) {
        list.insert(list.end(), static_cast<std::size_t>(blocks_.n_values(b)), single(b));
      }
      list.resize(static_cast<std::size_t>(size()));
      return WindowTerms(std::move(list));
    }
    WindowTerms::Blocks list;
    for (Index b = 0; b < blocks_.size(); ++b) {
      const Index count = blocks_.part_size(b);
      for (Index part = 0; part < blocks_.n_parts(); ++part) {
        list.push_back({.first = first_[b] + part * count, .count = count, .term = group(b)});
      }
    }
    if (has_intercept_values()) list.push_back({.first = first_.back(), .count = spec_.n_outputs, .term = {}});
    return WindowTerms(std::move(list));
  }

  // the same number in all outputs of a coefficient without penalty is nobody's concern: it stays
  void hold_free(Vector& matrix) const {
    const auto hold = [&](Index first, Index stride) {
      const double own = matrix[first * (size() + 1)];
      for (Index k = 0; k < spec_.n_outputs; ++k) {
        for (Index l = 0; l < spec_.n_outputs; ++l) matrix[(first + k * stride) * size() + first + l * stride] += own;
      }
    };
    for (Index b = 0; b < blocks_.size(); ++b) {
      for (Index c = 0; blocks_.is_free(b) && c < blocks_.n_coordinates(b); ++c) {
        hold(first_[b] + c, blocks_.n_coordinates(b));
      }
    }
    if (has_intercept_values()) hold(first_.back(), 1);
  }

  Problem& problem_;
  const Specification& spec_;
  FeatureBlocks blocks_;
  BlockTerms terms_;
  Vector start_;
  bool is_shift_invariant_;
  Vector units_;              // of the columns of all outputs, and of their intercepts
  std::vector<Index> first_;  // value of each block; the intercepts come last
  std::vector<Index> begin_{0};
  std::vector<Entry> entries_;
};

}  // namespace normball
