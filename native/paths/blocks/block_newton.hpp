// Proximal Newton on a set of blocks of one problem: the curvature of all outputs at once, kept as long as steps with
// it converge, under exact gradients (Lee, Sun & Saunders 2014).
#pragma once

#include "paths/blocks/coupled_curvature.hpp"
#include "paths/blocks/product_newton.hpp"
#include "paths/blocks/row_descent.hpp"
#include "quadratic/group_solver.hpp"
#include "quadratic/matrix_solver.hpp"

namespace normball {

class BlockNewton {
 public:
  // where a solver may stop: at this gap, or at this KKT violation
  struct Goal {
    double gap = 0.0;
    double violation = 0.0;
  };

  BlockNewton(const Design& design, const OutputsLoss& loss, BlockState& state, Threads& threads, Monitor& monitor)
      : design_(design),
        loss_(loss),
        state_(state),
        monitor_(monitor),
        curvature_(design, loss),
        by_rows_(design, loss, state, monitor),
        by_products_(design, loss, state, threads, monitor) {}

  // To a goal, on the set alone; the number of steps.
  int solve(double lambda, const Goal& goal, int most_steps) {
    StallRule stall(8);
    double last = infinity;
    trusts_products_ = trusts_rows_ = true;
    bool renews = !curvature_.exists();
    state_.read_gradients();
    for (int step = 0;; ++step) {
      const Certificate at = state_.certify(lambda);
      if ((at.gap <= goal.gap && at.is_stationary) || at.kkt_violation <= goal.violation) return step;
      if (at.is_stationary && dual_proves(lambda, goal.gap)) return step;
      stall.note(at.kkt_violation);
      if (step == most_steps || stall.is_stalled() || monitor_.stopped()) return step;
      const double left = std::max(at.gap / std::max(goal.gap, 1e-300), 2.0);
      needed_ = std::max(1.0 / left, goal.violation / at.kkt_violation);
      const double rate = step > 0 ? at.kkt_violation / last : 0.0;
      if (step > 0) renews = !loss_.traits.is_quadratic && is_slow(rate, left);
      if (rate > 0.5 && used_products_) trusts_products_ = false;
      last = at.kkt_violation;
      if (!moves(lambda, renews) && (renews || !moves(lambda, true))) return step;
    }
  }

 private:
  static constexpr Index most_known = 2500;

  // Whether the curvature of so many values is not worth its memory, or the factors that norms ask for, one a step,
  // their time: products take some dozens of reads of the set a step.
  bool asks_for_products(Index count) const {
    constexpr Index few = 800;
    if (count <= few || !trusts_products_) return false;
    const double cube = std::pow(static_cast<double>(count), 3.0);
    return count > most_known ||
           (joins_values_ && cube > 7000.0 * state_.n_entries() * static_cast<double>(state_.n_outputs()));
  }

  bool asks_for_rows(double lambda) {
    if (!trusts_rows_ || design_.is_sparse() || loss_.traits.is_coupled || !state_.terms().joins_values()) return false;
    Index count = 0;
    Index n_new = 0;
    is_known_.resize(state_.theta().size(), 0);
    state_.for_each_part([&](Index place, Index begin, Index size) {
      if (state_.part(place, begin, lambda).rests(1.0)) return;
      count += size;
      n_new += is_known_[begin] == 0 ? size : 0;
    });
    return by_rows_.pays(count, n_new);
  }

  bool dual_proves(double lambda, double gap) {
    return state_.has_dual() && state_.dual_sums().dual_pearson <= gap && state_.certify_by_dual(lambda).gap <= gap;
  }

  // whether so many more steps are needed at this rate that a new curvature costs less
  bool is_slow(double rate, double left) const {
    if (!(rate < 1.0)) return true;
    const double steps = std::log(left) / -std::log(rate);
    const auto n = static_cast<double>(design_.n_rows);
    const auto q = static_cast<double>(curvature_.size());
    const double factor = q * q * q / 3.0;
    // BLAS multiplies some six times as fast as columns are read, which a step does twice; so it does with the
    // curvature and its factor
    const double one_step =
        12.0 * (n * static_cast<double>(state_.theta().size()) + q * q) + (joins_values_ ? 3.0 * factor : 0.0);
    return steps > 1.5 + 0.5 * (n * q * q + factor) / one_step;
  }

  // one step to the minimiser of the model, or part of it; false where none descends
  bool moves(double lambda, bool renews) {
    if (asks_for_rows(lambda)) {
      if (by_rows_.moves(lambda, needed_)) return true;
      trusts_rows_ = false;
      renews = !loss_.traits.is_quadratic;
    }
    used_products_ = !knows(lambda, renews);
    if (used_products_) {
      curvature_.forget();
      if (by_products_.moves(lambda)) return true;
      trusts_products_ = false;
      return false;
    }
    Vector target = state_.theta();
    model_.clear();
    model_gradient_.clear();
    for (const Known& known : known_) {
      for (Index v = known.begin; v < known.begin + known.count; ++v) {
        model_.push_back(target[v]);
        model_gradient_.push_back(state_.gradient()[v]);
      }
    }
    solve_model(lambda);
    auto from = model_.begin();
    for (const Known& known : known_) {
      std::copy_n(from, known.count, target.begin() + known.begin);
      from += known.count;
    }
    return state_.go_to(target, lambda, &curvature_.rows());
  }

  // values of the model that the quadratic knows as one part of the penalty
  struct Known {
    Index place;  // in the set
    Index begin;  // in theta
    Index count;
  };

  // The quadratic knows all values that do not rest at zero, and where it is new those that nearly do not. Of too many
  // it knows those that are furthest from their optimum; false where products are the better way.
  bool knows(double lambda, bool renews) {
    is_known_.resize(state_.theta().size(), 0);
    const bool is_new = renews || !curvature_.exists();
    std::vector<Known> joining;
    Index count = is_new ? 0 : curvature_.size();
    state_.for_each_part([&](Index place, Index begin, Index size) {
      if ((!is_new && is_known_[begin] != 0) || state_.part(place, begin, lambda).rests(is_new ? 0.9 : 1.0)) return;
      joining.push_back({.place = place, .begin = begin, .count = size});
      count += size;
    });
    if (asks_for_products(count)) return false;
    if (count > most_known) {
      if (!is_new) return knows(lambda, true);
      keep_worst(lambda, joining);
    }
    if (is_new) {
      curvature_.renew(state_.eta());
      known_.clear();
      std::ranges::fill(is_known_, 0);
    }
    std::vector<Value> values;
    const SetColumns& set = state_.set();
    for (const Known& known : joining) {
      is_known_[known.begin] = 1;
      known_.push_back(known);
      const Index within = known.begin - state_.first_value(known.place);
      const Index width = set.width(known.place);
      for (Index v = within; v < within + known.count; ++v) {
        values.push_back({.column = set.first(known.place) + v % width, .output = v / width});
      }
    }
    curvature_.append(set, values);
    if (loss_.traits.is_shift_invariant) hold_free(joining);
    return true;
  }

  void keep_worst(double lambda, std::vector<Known>& parts) const {
    const auto merit = [&](const Known& known) {
      const Part part = state_.part(known.place, known.begin, lambda);
      return part.is_free() ? infinity : part.distance();
    };
    std::ranges::sort(parts, std::greater<>(), merit);
    Index count = 0;
    std::erase_if(parts, [&](const Known& known) { return (count += known.count) > most_known; });
  }

  // the same number in all outputs of a coefficient without penalty is nobody's concern: it stays
  void hold_free(const std::vector<Known>& joining) {
    for (const Known& known : joining) {
      const bool is_first = known.begin == state_.first_value(known.place);
      if (!is_first || !state_.terms().is_free(state_.set().block(known.place))) continue;
      for (Index c = 0; c < state_.set().width(known.place); ++c) {
        curvature_.hold_together(state_.set().first(known.place) + c);
      }
    }
  }

  void solve_model(double lambda) {
    const double digits = loss_.traits.is_quadratic ? 1e-8 : 1e-2;  // an exact model needs no other step
    const BlockTerms& terms = state_.terms();
    const double negligible = state_.problem().negligible_gradient();
    double tolerance = infinity;
    double largest = 0.0;
    joins_values_ = false;
    for (const Known& known : known_) {
      const Index block = state_.set().block(known.place);
      joins_values_ |= !terms.is_single(block) && block != SetColumns::intercept;
      const Part part = state_.part(known.place, known.begin, lambda);
      largest = std::max(largest, part.distance());
      tolerance = std::min(tolerance, part.tolerance(lambda, negligible));
    }
    tolerance = std::min(tolerance, digits * largest);
    if (joins_values_) {
      solve_groups(lambda, tolerance);
    } else {
      solve_singles(lambda, tolerance);
    }
  }

  void solve_singles(double lambda, double tolerance) {
    singles_.clear();
    for (const Known& known : known_) {
      const Index block = state_.set().block(known.place);
      const bool is_intercept = block == SetColumns::intercept;
      singles_.insert(singles_.end(), static_cast<std::size_t>(known.count),
                      is_intercept ? ElasticNet{} : state_.terms().single_term(block, lambda));
    }
    matrix_solver_.solve({.size = curvature_.size(),
                          .H = curvature_.data(),
                          .stride = curvature_.stride(),
                          .terms = singles_.data(),
                          .version = curvature_.version(),
                          .ridge = state_.problem().penalty.ridge(lambda)},
                         model_.data(), model_gradient_.data(), tolerance);
  }

  void solve_groups(double lambda, double tolerance) {
    groups_.clear();
    Index first = 0;
    for (const Known& known : known_) {
      groups_.push_back({.first = first,
                         .count = known.count,
                         .term = state_.terms().group_term(state_.set().block(known.place), lambda)});
      first += known.count;
    }
    group_solver_.solve({.size = curvature_.size(),
                         .H = curvature_.data(),
                         .stride = curvature_.stride(),
                         .blocks = &groups_,
                         .version = curvature_.version()},
                        model_.data(), model_gradient_.data(), tolerance);
  }

  const Design& design_;
  const OutputsLoss& loss_;
  BlockState& state_;
  Monitor& monitor_;
  CoupledCurvature curvature_;
  std::vector<std::uint8_t> is_known_;  // values in the quadratic, by the first of their part
  std::vector<Known> known_;
  RowDescent by_rows_;
  ProductNewton by_products_;
  MatrixSolver matrix_solver_;
  GroupSolver group_solver_;
  Vector model_;
  Vector model_gradient_;
  std::vector<ElasticNet> singles_;
  std::vector<GroupSolver::Block> groups_;
  bool joins_values_ = false;
  bool used_products_ = false;
  bool trusts_products_ = true;
  bool trusts_rows_ = true;
  double needed_ = 1.0;  // the share of gap or violation that may be left
};

}  // namespace normball
