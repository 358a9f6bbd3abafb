// Proximal Newton on a set of blocks of one problem: the curvature of all outputs at once, kept as long as steps with
// it converge, under exact gradients (Lee, Sun & Saunders 2014).
#pragma once

#include "paths/blocks/block_terms.hpp"
#include "paths/blocks/coupled_curvature.hpp"
#include "quadratic/continuation.hpp"
#include "quadratic/group_solver.hpp"
#include "quadratic/matrix_solver.hpp"
#include "quadratic/step.hpp"

namespace normball {

class BlockNewton {
 public:
  // where a solver may stop: at this gap, or at this KKT violation
  struct Goal {
    double gap = 0.0;
    double violation = 0.0;
  };

  BlockNewton(const Design& design, const OutputsLoss& loss, const Problem& problem, const FeatureBlocks& blocks,
              Threads& threads, Monitor& monitor)
      : design_(design),
        loss_(loss),
        problem_(problem),
        blocks_(blocks),
        terms_(problem, blocks),
        threads_(threads),
        monitor_(monitor),
        set_(design, blocks),
        curvature_(design, loss),
        is_held_(static_cast<std::size_t>(blocks.size()), 0),
        eta_(problem.offset, problem.offset + design.n_rows * loss.n_outputs),
        residual_(eta_.size()) {
    if (problem.spec->fit_intercept) add(SetColumns::intercept);
    evaluate();
  }

  const SetColumns& set() const { return set_; }
  const BlockTerms& terms() const { return terms_; }
  const RowSums& sums() const { return sums_; }
  const double* theta(Index place) const { return theta_.data() + set_.first(place) * n_outputs(); }
  const double* gradient(Index place) const { return gradient_.data() + set_.first(place) * n_outputs(); }
  Index entries_read() const { return entries_read_; }
  std::vector<const double*> residuals() const {
    std::vector<const double*> list;
    for (Index k = 0; k < n_outputs(); ++k) list.push_back(residual_.data() + k * design_.n_rows);
    return list;
  }

  bool holds(Index block) const { return is_held_[block] != 0; }
  void include(Index block) {
    if (holds(block)) return;
    is_held_[block] = 1;
    add(block);
  }

  void start_at(const Vector& intercepts) {
    std::ranges::copy(intercepts, theta_.begin());
    for (Index k = 0; k < n_outputs(); ++k) {
      for (Index i = 0; i < design_.n_rows; ++i) eta_[k * design_.n_rows + i] += intercepts[k];
    }
    evaluate();
  }

  // The last two solutions point to the next.
  void go_on(double lambda) {
    const double length = continuation(earlier_lambda_, last_lambda_, lambda);
    const Vector earlier = std::exchange(earlier_theta_, theta_);
    earlier_lambda_ = std::exchange(last_lambda_, lambda);
    if (length == 0.0) return;
    before_ = theta_;
    for (Index place = 0; place < set_.size(); ++place) {
      const Index block = set_.block(place);
      const Index size = terms_.part_size(block);
      for (Index part = 0; part < terms_.n_parts(block); ++part) {
        const Index begin = set_.first(place) * n_outputs() + part * size;
        if (begin + size > std::ssize(earlier)) continue;  // it was not in the set yet
        double* at = theta_.data() + begin;
        double agreement = 0.0;
        for (Index v = 0; v < size; ++v) {
          const double step = length * (at[v] - earlier[begin + v]);
          if (at[v] != 0.0) at[v] += step;
          agreement += at[v] * before_[begin + v];
        }
        if (terms_.is_single(block)) {
          *at = continued(terms_.single_term(block, lambda), before_[begin], *at - before_[begin]);
        } else if (agreement <= 0.0 && !terms_.is_free(block)) {
          std::fill_n(at, size, 0.0);
        }
      }
    }
    const Vector direction = eta_direction();
    for (std::size_t i = 0; i < eta_.size(); ++i) eta_[i] += direction[i];
    evaluate();
  }

  // To a goal, on the set alone; the number of steps.
  int solve(double lambda, const Goal& goal, int most_steps) {
    StallRule stall(8);
    double last = infinity;
    bool renews = !curvature_.exists();
    read_gradients();
    for (int step = 0;; ++step) {
      const Certificate at = certify(lambda);
      if ((at.gap <= goal.gap && at.is_stationary) || at.kkt_violation <= goal.violation) return step;
      stall.note(at.kkt_violation);
      if (step == most_steps || stall.is_stalled() || monitor_.stopped()) return step;
      const double left = std::max(at.gap / std::max(goal.gap, 1e-300), 2.0);
      if (step > 0) renews = !loss_.traits.is_quadratic && is_slow(at.kkt_violation / last, left);
      last = at.kkt_violation;
      if (!moves(lambda, renews) && (renews || !moves(lambda, true))) return step;
    }
  }

  void add_to(CertifiedBlocks& blocks) const {
    for (Index place = 0; place < set_.size(); ++place) blocks.add(set_.block(place), theta(place), gradient(place));
  }
  Certificate certify(double lambda) const {
    CertifiedBlocks blocks(problem_, terms_, lambda);
    add_to(blocks);
    return blocks.certify(sums_);
  }

 private:
  Index n_outputs() const { return loss_.n_outputs; }

  void add(Index block) {
    set_.add(block);
    theta_.resize(static_cast<std::size_t>(set_.n_columns() * n_outputs()), 0.0);
    gradient_.resize(theta_.size(), 0.0);
    is_known_.resize(theta_.size(), 0);
  }

  void evaluate() {
    sums_ = loss_.evaluate(eta_.data(), residual_.data());
    sums_.loss += problem_.constant;
  }

  void read_gradients() {
    const Index count = std::ssize(set_.features());
    Vector products(static_cast<std::size_t>(count * n_outputs()));
    std::vector<double*> out;
    for (Index k = 0; k < n_outputs(); ++k) out.push_back(products.data() + k * count);
    const std::vector<const double*> vectors = residuals();
    if (count > 0) {
      design_.sweep({.columns = {.list = set_.features().data(), .count = count},
                     .n_vectors = n_outputs(),
                     .vectors = vectors.data(),
                     .out = out.data()},
                    threads_);
    }
    entries_read_ += count;
    for (Index place = 0; place < set_.size(); ++place) {
      double* gradient = gradient_.data() + set_.first(place) * n_outputs();
      for (Index k = 0; k < n_outputs(); ++k) {
        if (set_.block(place) == SetColumns::intercept) {
          gradient[k] = std::accumulate(vectors[k], vectors[k] + design_.n_rows, 0.0);
        } else {
          blocks_.to_gradient(set_.block(place), out[k] + set_.first_feature(place), gradient + k * set_.width(place));
        }
      }
    }
  }

  // whether so many more steps are needed at this rate that a new curvature costs less
  bool is_slow(double rate, double left) const {
    if (!(rate < 1.0)) return true;
    const double steps = std::log(left) / -std::log(rate);
    const auto n = static_cast<double>(design_.n_rows);
    const auto q = static_cast<double>(curvature_.size());
    const double factor = q * q * q / 3.0;
    // BLAS multiplies some six times as fast as columns are read, which a step does twice
    const double one_step =
        12.0 * n * static_cast<double>(set_.n_columns() * n_outputs()) + (joins_values_ ? 3.0 * factor : 0.0);
    return steps > 1.5 + 0.5 * (n * q * q + factor) / one_step;
  }

  // values of the model that the quadratic knows as one part of the penalty
  struct Known {
    Index place;  // in the set
    Index begin;  // in theta
    Index count;
  };

  // The quadratic knows all values that do not rest at zero, and where it is new those that nearly do not.
  void know(double lambda, bool renews) {
    if (renews) {
      curvature_.renew(eta_);
      known_.clear();
      std::ranges::fill(is_known_, 0);
    }
    std::vector<Value> joining;
    for (Index place = 0; place < set_.size(); ++place) {
      const Index block = set_.block(place);
      const Index size = terms_.part_size(block);
      for (Index part = 0; part < terms_.n_parts(block); ++part) {
        const Index begin = set_.first(place) * n_outputs() + part * size;
        if (is_known_[begin] != 0) continue;
        if (terms_.part(block, lambda, theta_.data() + begin, gradient_.data() + begin).rests(renews ? 0.9 : 1.0))
          continue;
        is_known_[begin] = 1;
        known_.push_back({.place = place, .begin = begin, .count = size});
        for (Index v = part * size; v < (part + 1) * size; ++v) {
          joining.push_back({.column = set_.first(place) + v % set_.width(place), .output = v / set_.width(place)});
        }
      }
    }
    curvature_.append(set_, joining);
    if (loss_.traits.is_shift_invariant) hold_free(joining);
  }

  // the same number in all outputs of a coefficient without penalty is nobody's concern: it stays
  void hold_free(const std::vector<Value>& joining) {
    for (const Value& value : joining) {
      if (value.output != 0) continue;
      const auto known = std::ranges::find_if(known_, [&](const Known& one) {
        return set_.first(one.place) <= value.column && value.column < set_.first(one.place) + set_.width(one.place);
      });
      if (terms_.is_free(set_.block(known->place))) curvature_.hold_together(value.column);
    }
  }

  // one step to the minimiser of the model, or part of it; false where none descends
  bool moves(double lambda, bool renews) {
    know(lambda, renews);
    before_ = theta_;
    model_gradient_.clear();
    model_.clear();
    for (const Known& known : known_) {
      model_.insert(model_.end(), theta_.begin() + known.begin, theta_.begin() + known.begin + known.count);
      model_gradient_.insert(model_gradient_.end(), gradient_.begin() + known.begin,
                             gradient_.begin() + known.begin + known.count);
    }
    const double penalty = penalty_of(lambda);
    solve_model(lambda);
    double expected = -penalty;
    Index v = 0;
    for (const Known& known : known_) {
      for (Index at = known.begin; at < known.begin + known.count; ++at, ++v) {
        expected += (model_[v] - theta_[at]) * gradient_[at];
        theta_[at] = model_[v];
      }
    }
    expected += penalty_of(lambda);
    const Vector direction = eta_direction();
    const double objective = sums_.loss + penalty;
    const ArmijoRule rule{.objective = objective, .expected = expected, .noise = problem_.noise(objective)};
    const Vector start = eta_;
    const Vector target = theta_;
    double tried = -1.0;
    const auto go = [&](double fraction) {
      for (std::size_t i = 0; i < eta_.size(); ++i) eta_[i] = start[i] + fraction * direction[i];
      for (std::size_t i = 0; i < theta_.size(); ++i) {
        theta_[i] = fraction == 1.0 ? target[i] : before_[i] + fraction * (target[i] - before_[i]);
      }
      evaluate();
      tried = fraction;
      return sums_.loss + penalty_of(lambda);
    };
    const double fraction = backtrack(rule, go);
    if (fraction != tried) go(fraction);
    if (fraction > 0.0) read_gradients();
    return fraction > 0.0;
  }

  double penalty_of(double lambda) const {
    double sum = 0.0;
    for (const Known& known : known_) {
      sum += terms_.part(set_.block(known.place), lambda, theta_.data() + known.begin, nullptr).value();
    }
    return sum;
  }

  void solve_model(double lambda) {
    constexpr double digits = 1e-2;
    double tolerance = infinity;
    double largest = 0.0;
    groups_.clear();
    singles_.clear();
    Index first = 0;
    bool all_single = true;
    for (const Known& known : known_) {
      const Index block = set_.block(known.place);
      all_single = all_single && (terms_.is_single(block) || block == SetColumns::intercept);
      const Part part = terms_.part(block, lambda, theta_.data() + known.begin, gradient_.data() + known.begin);
      largest = std::max(largest, part.distance());
      tolerance = std::min(tolerance, part.tolerance(lambda, problem_.negligible_gradient()));
    }
    tolerance = std::min(tolerance, digits * largest);
    for (const Known& known : known_) {
      const Index block = set_.block(known.place);
      if (all_single) {
        singles_.insert(singles_.end(), static_cast<std::size_t>(known.count),
                        block == SetColumns::intercept ? ElasticNet{} : terms_.single_term(block, lambda));
      } else {
        joins_values_ = true;
        groups_.push_back({.first = first, .count = known.count, .term = group_term(block, lambda)});
      }
      first += known.count;
    }
    if (all_single) {
      matrix_solver_.solve({.size = curvature_.size(),
                            .H = curvature_.data(),
                            .stride = curvature_.stride(),
                            .terms = singles_.data(),
                            .version = curvature_.version(),
                            .lambda = lambda > 0.0 ? lambda : 1.0},
                           model_.data(), model_gradient_.data(), tolerance);
    } else {
      group_solver_.solve({.size = curvature_.size(),
                           .H = curvature_.data(),
                           .stride = curvature_.stride(),
                           .blocks = &groups_,
                           .version = curvature_.version()},
                          model_.data(), model_gradient_.data(), tolerance);
    }
  }

  // of a single coefficient beside groups, which has no bounds there
  GroupTerm group_term(Index block, double lambda) const {
    if (!terms_.is_single(block)) return terms_.group_term(block, lambda);
    const ElasticNet term = terms_.single_term(block, lambda);
    return {.l1 = term.l1, .group = 0.0, .l2 = term.l2};
  }

  // what the change from `before_` to theta does to eta
  Vector eta_direction() {
    Vector direction(eta_.size(), 0.0);
    std::vector<Index> features;
    Vector coefs;
    Vector change;
    Vector raw;
    for (Index k = 0; k < n_outputs(); ++k) {
      features.clear();
      coefs.clear();
      double* out = direction.data() + k * design_.n_rows;
      for (Index place = 0; place < set_.size(); ++place) {
        const Index width = set_.width(place);
        const Index begin = set_.first(place) * n_outputs() + k * width;
        change.clear();
        for (Index at = begin; at < begin + width; ++at) change.push_back(theta_[at] - before_[at]);
        if (std::ranges::all_of(change, [](double value) { return value == 0.0; })) continue;
        if (set_.block(place) == SetColumns::intercept) {
          for (Index i = 0; i < design_.n_rows; ++i) out[i] += change[0];
          continue;
        }
        const std::span<const Index> members = blocks_.features(set_.block(place));
        raw.resize(members.size());
        blocks_.to_raw(set_.block(place), change.data(), raw.data());
        features.insert(features.end(), members.begin(), members.end());
        coefs.insert(coefs.end(), raw.begin(), raw.end());
      }
      const Index count = std::ssize(features);
      design_.times({.list = features.data(), .count = count}, coefs.data(), out, threads_);
      entries_read_ += count / n_outputs();
    }
    return direction;
  }

  const Design& design_;
  const OutputsLoss& loss_;
  const Problem& problem_;
  const FeatureBlocks& blocks_;
  const BlockTerms terms_;
  Threads& threads_;
  Monitor& monitor_;
  SetColumns set_;
  CoupledCurvature curvature_;
  std::vector<std::uint8_t> is_held_;   // blocks in the set
  std::vector<std::uint8_t> is_known_;  // values in the quadratic, by the first of their part
  std::vector<Known> known_;
  Vector theta_;
  Vector gradient_;
  Vector eta_;
  Vector residual_;
  RowSums sums_;
  MatrixSolver matrix_solver_;
  GroupSolver group_solver_;
  Vector earlier_theta_;
  double earlier_lambda_ = infinity;
  double last_lambda_ = infinity;
  Vector before_;
  Vector model_;
  Vector model_gradient_;
  std::vector<ElasticNet> singles_;
  std::vector<GroupSolver::Block> groups_;
  bool joins_values_ = false;
  Index entries_read_ = 0;
};

}  // namespace normball
