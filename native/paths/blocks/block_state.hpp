// Where one problem stands on a set of blocks, and what its steps need of the design.
#pragma once

#include "losses/outputs_loss.hpp"
#include "paths/blocks/block_terms.hpp"
#include "quadratic/continuation.hpp"
#include "quadratic/step.hpp"

namespace normball {

class BlockState {
 public:
  BlockState(const Design& design, const OutputsLoss& loss, const Problem& problem, const FeatureBlocks& blocks,
             Threads& threads)
      : design_(design),
        loss_(loss),
        problem_(problem),
        blocks_(blocks),
        terms_(blocks),
        threads_(threads),
        set_(design, blocks),
        is_held_(static_cast<std::size_t>(blocks.size()), 0),
        eta_(problem.offset, problem.offset + design.n_rows * loss.n_outputs),
        residual_(eta_.size()) {
    if (problem.spec->fit_intercept) add(SetColumns::intercept);
    evaluate();
  }

  const Problem& problem() const { return problem_; }
  const SetColumns& set() const { return set_; }
  const BlockTerms& terms() const { return terms_; }
  const RowSums& sums() const { return sums_; }
  const Vector& eta() const { return eta_; }
  const Vector& residual() const { return residual_; }
  // values of the set, block by block, output by output; their gradients are those of the mean loss
  const Vector& theta() const { return theta_; }
  const Vector& gradient() const { return gradient_; }
  Index first_value(Index place) const { return set_.first(place) * n_outputs(); }
  Index n_outputs() const { return loss_.n_outputs; }
  Index entries_read() const { return entries_read_; }
  double n_entries() const { return n_entries_; }  // of the set's columns
  std::vector<const double*> residuals() const { return outputs_of(residual_); }

  bool holds(Index block) const { return is_held_[block] != 0; }
  void include(Index block) {
    if (holds(block)) return;
    is_held_[block] = 1;
    add(block);
  }

  void start_at(const Vector& intercepts) {
    Vector target = theta_;
    std::ranges::copy(intercepts, target.begin());
    jump(target);
  }

  // visit(place, begin, count) of each part of the penalty, by its first value
  template <class Visit>
  void for_each_part(const Visit& visit) const {
    for (Index place = 0; place < set_.size(); ++place) {
      const Index size = terms_.part_size(set_.block(place));
      for (Index part = 0; part < terms_.n_parts(set_.block(place)); ++part) {
        visit(place, first_value(place) + part * size, size);
      }
    }
  }
  Part part(Index place, Index begin, double lambda) const {
    return terms_.part(set_.block(place), lambda, theta_.data() + begin, gradient_.data() + begin);
  }

  Certificate certify(double lambda) const {
    CertifiedBlocks blocks(problem_, terms_, lambda);
    add_to(blocks);
    return blocks.certify(sums_.loss, sums_.pearson);
  }
  // with the gradients of the residual, or of the dual point
  void add_to(CertifiedBlocks& blocks, bool by_dual = false) const {
    const Vector& gradient = by_dual ? dual_gradient_ : gradient_;
    for (Index place = 0; place < set_.size(); ++place) {
      blocks.add(set_.block(place), theta_.data() + first_value(place), gradient.data() + first_value(place));
    }
  }

  // What the model of the last step takes for the residual, where that was a whole step: by (M8b) it proves what the
  // residual does only one or two steps later.
  bool has_dual() const { return !dual_.empty(); }
  const DualSums& dual_sums() const { return dual_sums_; }
  const Vector& dual() const { return dual_; }
  std::vector<const double*> duals() const { return outputs_of(dual_); }
  Certificate certify_by_dual(double lambda) {
    dual_gradient_ = products_with(dual_);
    CertifiedBlocks blocks(problem_, terms_, lambda);
    add_to(blocks, true);
    return blocks.certify(sums_.loss, dual_sums_.pearson, dual_sums_.dual_pearson);
  }
  const Vector& dual_gradient() const { return dual_gradient_; }

  // The last two solutions point to the next.
  void go_on(double lambda) {
    const double length = continuation(earlier_lambda_, last_lambda_, lambda);
    const Vector earlier = std::exchange(earlier_theta_, theta_);
    earlier_lambda_ = std::exchange(last_lambda_, lambda);
    if (length == 0.0) return;
    Vector target = theta_;
    for_each_part([&](Index place, Index begin, Index size) {
      if (begin + size > std::ssize(earlier)) return;  // it was not in the set yet
      double agreement = 0.0;
      for (Index v = begin; v < begin + size; ++v) {
        if (theta_[v] != 0.0) target[v] += length * (theta_[v] - earlier[v]);
        agreement += target[v] * theta_[v];
      }
      const Index block = set_.block(place);
      if (terms_.is_single(block)) {
        target[begin] = continued(terms_.single_term(block, lambda), theta_[begin], target[begin] - theta_[begin]);
      } else if (agreement <= 0.0 && !terms_.is_free(block)) {
        std::fill_n(target.begin() + begin, size, 0.0);
      }
    });
    const Place start = place();
    const double objective = sums_.loss + penalty_at(lambda);
    jump(target);
    if (!(sums_.loss + penalty_at(lambda) < objective)) go_back(start);
  }

  void read_gradients() { gradient_ = products_with(residual_); }

  // To `target`, or part of the way; false where nothing on it descends. `model`: whose minimiser it is.
  bool go_to(const Vector& target, double lambda, const RowCurvature* model = nullptr) {
    dual_.clear();
    const Place start = place();
    Vector change(target.size());
    std::ranges::transform(target, start.theta, change.begin(), std::minus{});
    if (!std::ranges::all_of(change, [](double value) { return std::isfinite(value); })) return false;
    const Vector direction = eta_of(change);
    const double penalty = penalty_at(lambda);
    theta_ = target;
    const double objective = sums_.loss + penalty;
    const ArmijoRule rule{.objective = objective,
                          .expected = penalty_at(lambda) - penalty +
                                      std::inner_product(change.begin(), change.end(), gradient_.begin(), 0.0),
                          .noise = problem_.noise(objective)};
    double tried = -1.0;
    const auto go = [&](double fraction) {
      for (std::size_t i = 0; i < eta_.size(); ++i) eta_[i] = start.eta[i] + fraction * direction[i];
      for (std::size_t v = 0; v < theta_.size(); ++v) {
        theta_[v] = fraction == 1.0 ? target[v] : start.theta[v] + fraction * change[v];
      }
      evaluate();
      tried = fraction;
      return sums_.loss + penalty_at(lambda);
    };
    // not a minimiser, and not downhill, but for rounding
    const bool is_uphill = rule.expected > 10.0 * rule.noise;
    const double fraction = is_uphill ? 0.0 : backtrack(rule, go);
    if (fraction > 0.0 && fraction != tried) go(fraction);
    // a step that is too small to be judged has to stay where it says it is
    if (fraction == 0.0 || !(sums_.loss + penalty_at(lambda) <= objective + 100.0 * rule.noise)) {
      go_back(start);
      return false;
    }
    if (fraction == 1.0 && model != nullptr) {
      dual_ = direction;
      multiply(*model, dual_);
      for (std::size_t i = 0; i < dual_.size(); ++i) dual_[i] += start.residual[i];
      dual_sums_ = model->coupling == nullptr ? loss_.dual(eta_.data(), dual_.data())
                                              : model->coupling->dual(direction.data(), eta_.data(), dual_.data());
    }
    read_gradients();
    return true;
  }

  // vectors shaped like eta become their product with the curvature
  void multiply(const RowCurvature& rows, Vector& vectors) const {
    const Index n = design_.n_rows;
    Vector terms(static_cast<std::size_t>(rows.coupling == nullptr ? 0 : rows.coupling->n_terms()));
    if (rows.coupling != nullptr) rows.coupling->project(vectors.data(), n, 1, terms.data());
    Vector total(static_cast<std::size_t>(rows.root.empty() ? 0 : n), 0.0);
    for (Index k = 0; k < n_outputs() && !total.empty(); ++k) {
      for (Index i = 0; i < n; ++i) total[i] += rows.root[k * n + i] * vectors[k * n + i];
    }
    for (Index k = 0; k < n_outputs(); ++k) {
      for (Index i = 0; i < n; ++i) {
        const Index at = k * n + i;
        vectors[at] = rows.diagonal[at] * vectors[at] - (total.empty() ? 0.0 : rows.root[at] * total[i]);
      }
    }
    if (rows.coupling != nullptr) rows.coupling->take_back(terms.data(), vectors.data());
  }

  // what values shaped like theta add to eta
  Vector eta_of(const Vector& values) {
    Vector out(eta_.size(), 0.0);
    std::vector<Index> features;
    Vector coefs;
    Vector raw;
    for (Index k = 0; k < n_outputs(); ++k) {
      features.clear();
      coefs.clear();
      double* column = out.data() + k * design_.n_rows;
      for (Index place = 0; place < set_.size(); ++place) {
        const double* own = values.data() + first_value(place) + k * set_.width(place);
        if (std::all_of(own, own + set_.width(place), [](double value) { return value == 0.0; })) continue;
        if (set_.block(place) == SetColumns::intercept) {
          for (Index i = 0; i < design_.n_rows; ++i) column[i] += *own;
          continue;
        }
        const std::span<const Index> members = blocks_.features(set_.block(place));
        raw.resize(members.size());
        blocks_.to_raw(set_.block(place), own, raw.data());
        features.insert(features.end(), members.begin(), members.end());
        coefs.insert(coefs.end(), raw.begin(), raw.end());
      }
      const Index count = std::ssize(features);
      design_.times({.list = features.data(), .count = count}, coefs.data(), column, threads_);
      entries_read_ += count;
    }
    return out;
  }

  // products of the set's columns with vectors shaped like eta, shaped like theta
  Vector products_with(const Vector& vectors) {
    Vector found(theta_.size());
    const Index count = std::ssize(set_.features());
    Vector products(static_cast<std::size_t>(count * n_outputs()));
    std::vector<double*> out;
    out.reserve(static_cast<std::size_t>(n_outputs()));
    for (Index k = 0; k < n_outputs(); ++k) out.push_back(products.data() + k * count);
    const std::vector<const double*> list = outputs_of(vectors);
    if (count > 0) {
      design_.sweep({.columns = {.list = set_.features().data(), .count = count},
                     .n_vectors = n_outputs(),
                     .vectors = list.data(),
                     .out = out.data()},
                    threads_);
    }
    entries_read_ += count;
    for (Index place = 0; place < set_.size(); ++place) {
      double* own = found.data() + first_value(place);
      for (Index k = 0; k < n_outputs(); ++k) {
        if (set_.block(place) == SetColumns::intercept) {
          own[k] = std::accumulate(list[k], list[k] + design_.n_rows, 0.0);
        } else {
          blocks_.to_gradient(set_.block(place), out[k] + set_.first_feature(place), own + k * set_.width(place));
        }
      }
    }
    return found;
  }

 private:
  void add(Index block) {
    set_.add(block);
    if (block != SetColumns::intercept) {
      for (const Index j : blocks_.features(block)) n_entries_ += static_cast<double>(design_.n_entries(j));
    }
    theta_.resize(static_cast<std::size_t>(set_.n_columns() * n_outputs()), 0.0);
    gradient_.resize(theta_.size(), 0.0);
  }

  struct Place {
    Vector theta;
    Vector eta;
    Vector residual;
    RowSums sums;
  };
  Place place() const { return {.theta = theta_, .eta = eta_, .residual = residual_, .sums = sums_}; }
  void go_back(const Place& place) {
    theta_ = place.theta;
    eta_ = place.eta;
    residual_ = place.residual;
    sums_ = place.sums;
  }

  void jump(const Vector& target) {
    Vector change(target.size());
    std::ranges::transform(target, theta_, change.begin(), std::minus{});
    const Vector direction = eta_of(change);
    for (std::size_t i = 0; i < eta_.size(); ++i) eta_[i] += direction[i];
    theta_ = target;
    dual_.clear();
    evaluate();
  }

  void evaluate() {
    sums_ = loss_.evaluate(eta_.data(), residual_.data());
    sums_.loss += problem_.constant;
  }

  double penalty_at(double lambda) const {
    double sum = 0.0;
    for_each_part([&](Index place, Index begin, Index size) {
      const double* b = theta_.data() + begin;
      const bool is_zero = std::all_of(b, b + size, [](double value) { return value == 0.0; });
      if (!is_zero) sum += part(place, begin, lambda).value();
    });
    return sum;
  }

  std::vector<const double*> outputs_of(const Vector& vectors) const {
    std::vector<const double*> list;
    list.reserve(static_cast<std::size_t>(n_outputs()));
    for (Index k = 0; k < n_outputs(); ++k) list.push_back(vectors.data() + k * design_.n_rows);
    return list;
  }

  const Design& design_;
  const OutputsLoss& loss_;
  const Problem& problem_;
  const FeatureBlocks& blocks_;
  const BlockTerms terms_;
  Threads& threads_;
  SetColumns set_;
  std::vector<std::uint8_t> is_held_;  // blocks in the set
  Vector theta_;
  Vector gradient_;
  Vector eta_;
  Vector residual_;
  RowSums sums_;
  Vector dual_;  // w v
  Vector dual_gradient_;
  DualSums dual_sums_;
  Vector earlier_theta_;
  double earlier_lambda_ = infinity;
  double last_lambda_ = infinity;
  Index entries_read_ = 0;
  double n_entries_ = 0.0;
};

}  // namespace normball
