// The quadratic model of one problem, minimised on the columns themselves, without a dense H. Coordinate descent
// (Friedman, Hastie & Tibshirani 2010) finds which coordinates are zero or at a bound; conjugate gradients on the
// others, preconditioned by the diagonal, finish.
#pragma once

#include <numeric>

#include "core/threads.hpp"
#include "losses/loss.hpp"
#include "problem/problem.hpp"

namespace normball {

// minimise over b:  gradient'(b - b0) + 1/2 |X(b - b0)|_D^2 + sum_j term_j(b_j), the intercept profiled out. The state
// is D X(b - b0), one number a row; a step on a sparse column touches the rows of its entries only, for the profiled
// intercept moves a scalar: the sum of residuals and state.
class ColumnSolver {
 public:
  struct Model {
    const std::vector<Index>& set;
    const std::vector<ElasticNet>& terms;
    const LossCurvature& rows;
    double total;  // of its diagonal
    const Vector& gradient;
    double residual_sum;
    double tolerance;
  };

  ColumnSolver(const Design& design, const Problem& problem, const Model& model)
      : design_(design), problem_(problem), model_(model) {}

  // `b` is moved from b0 to the minimiser
  void solve(Monitor& monitor, Vector& b) {
    b_ = b.data();
    state_.assign(model_.rows.diagonal.size(), 0.0);
    state_sum_ = model_.residual_sum;
    measure();
    for (int round = 0; round < 500 && !monitor.stopped(); ++round) {
      if (descend() <= model_.tolerance) break;
      // where the whole step fits the caller looks at the gradient anyway
      int n_steps = 0;
      while (n_steps < 5 && newton_step()) ++n_steps;
      if (n_steps == 0) break;
    }
  }

  // of residuals and state at the minimiser; over the curvature's sum, less, it is how far the intercept moves
  double state_sum() const { return state_sum_; }
  Index entries_read() const { return entries_read_; }

 private:
  Index size() const { return std::ssize(model_.set); }
  bool has_intercept() const { return problem_.spec->fit_intercept; }

  // of each stored column: the sum with the weights d, and the diagonal of H
  void measure() {
    for (Index s = 0; s < size(); ++s) {
      const Index j = model_.set[s];
      double sum = 0.0;
      double square = 0.0;
      design_.weighted_sums(j, model_.rows.diagonal.data(), &sum, &square);
      entries_read_ += design_.n_entries(j);
      const double scale = problem_.scaling.scale[j];
      inverse_scale_.push_back(scale == 0.0 ? 0.0 : 1.0 / scale);
      if (!has_intercept()) sum = 0.0;
      means_.push_back(sum * inverse_scale_[s]);
      const double curvature = std::max(0.0, square - sum * sum / model_.total - coupled_square(j));
      diagonal_.push_back(curvature * inverse_scale_[s] * inverse_scale_[s]);
      // of the stored column, which is not centred
      const double centre = design_.stored_centre(j) + problem_.scaling.shift[j];
      start_.push_back(model_.gradient[s] + centre * inverse_scale_[s] * model_.residual_sum);
    }
  }

  double product(Index s, const Vector& rows) {
    double sum = 0.0;
    entries_read_ += design_.n_entries(model_.set[s]);
    design_.dot(model_.set[s], rows.data(), &sum);
    return sum * inverse_scale_[s];
  }

  double gradient(Index s) { return start_[s] + product(s, state_) - state_sum_ / model_.total * means_[s]; }

  void add(Index s, double step, const double* d, Vector& rows) {
    const double scaled = step * inverse_scale_[s];
    entries_read_ += design_.n_entries(model_.set[s]);
    design_.add(model_.set[s], &scaled, d, rows.data());
  }

  // what the rows' coupling takes from x'Dx of a stored column
  double coupled_square(Index j) {
    const Coupling* coupling = model_.rows.coupling.get();
    if (coupling == nullptr) return 0.0;
    eta_.assign(state_.size(), 0.0);
    const double one = 1.0;
    design_.add(j, &one, nullptr, eta_.data());
    Vector terms(static_cast<std::size_t>(coupling->n_terms()));
    coupling->project(eta_.data(), std::ssize(eta_), 1, terms.data());
    return std::inner_product(terms.begin(), terms.end(), terms.begin(), 0.0);
  }

  void add_to_state(Index s, double step) {
    if (model_.rows.coupling == nullptr) return add(s, step, model_.rows.diagonal.data(), state_);
    eta_.assign(state_.size(), 0.0);
    add(s, step, nullptr, eta_);
    model_.rows.add_product(eta_, state_);
  }

  // one pass over the columns; the largest violation that it met
  double descend() {
    double worst = 0.0;
    for (Index s = 0; s < size(); ++s) {
      const ElasticNet& term = model_.terms[s];
      const double slope = gradient(s);
      // on the boundary rounding alone would let in a copy of a column that is in already
      if (b_[s] == 0.0 && std::abs(slope) <= (1.0 + 1e-13) * term.l1) continue;
      if (diagonal_[s] + term.l2 <= 0.0) continue;
      worst = std::max(worst, term.violation(slope, b_[s]));
      const double step = term.prox(diagonal_[s] * b_[s] - slope, diagonal_[s]) - b_[s];
      if (step == 0.0) continue;
      b_[s] += step;
      state_sum_ += step * means_[s];
      add_to_state(s, step);
    }
    return worst;
  }

  bool is_active(Index s) const {
    const ElasticNet& term = model_.terms[s];
    return (b_[s] != 0.0 || term.l1 == 0.0) && term.is_interior(b_[s]) && diagonal_[s] + term.l2 > 0.0;
  }

  // Newton's step on the coordinates off zero and bounds, with their signs held; whether one was due that did not fit
  // whole
  bool newton_step() {
    active_.clear();
    for (Index s = 0; s < size(); ++s) {
      if (is_active(s)) active_.push_back(s);
    }
    return conjugate_gradients() && move();
  }

  // direction_ = -H^-1 (gradient of the active coordinates) roughly, eta_ = X direction_; false where none is due
  bool conjugate_gradients() {
    double largest = start_search();
    if (largest <= 0.5 * model_.tolerance) return false;
    double last = 0.0;
    constexpr int largest_n_steps = 100;
    for (int step = 0; step < largest_n_steps && largest > 0.5 * model_.tolerance; ++step) {
      double now = 0.0;
      for (std::size_t c = 0; c < active_.size(); ++c) now += left_[c] * left_[c] * inverse_[c];
      const double keep = last == 0.0 ? 0.0 : now / last;
      last = now;
      double floor = 0.0;
      for (std::size_t c = 0; c < active_.size(); ++c) {
        search_[c] = left_[c] * inverse_[c] + keep * search_[c];
        floor += search_[c] * search_[c] / inverse_[c];
      }
      const double curvature = multiply();
      if (!(curvature > 1e-13 * floor)) break;  // a direction that the model does not see
      largest = advance(now / curvature);
    }
    return true;
  }

  double start_search() {
    left_.resize(active_.size());
    inverse_.resize(active_.size());
    curved_.resize(active_.size());
    direction_.assign(active_.size(), 0.0);
    search_.assign(active_.size(), 0.0);
    eta_.assign(state_.size(), 0.0);
    double largest = 0.0;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const Index s = active_[c];
      const ElasticNet& term = model_.terms[s];
      const auto sign = static_cast<double>((b_[s] > 0.0) - (b_[s] < 0.0));
      left_[c] = -(gradient(s) + term.l2 * b_[s] + term.l1 * sign);
      inverse_[c] = 1.0 / (diagonal_[s] + term.l2);
      largest = std::max(largest, std::abs(left_[c]));
    }
    return largest;
  }

  // search_eta_ = X search_, curved_ = H search_; search_' curved_
  double multiply() {
    search_eta_.assign(state_.size(), 0.0);
    double sum = 0.0;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      add(active_[c], search_[c], nullptr, search_eta_);
      sum += search_[c] * means_[active_[c]];
    }
    weighted_.assign(state_.size(), 0.0);
    model_.rows.add_product(search_eta_, weighted_);
    double curvature = 0.0;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const Index s = active_[c];
      curved_[c] = product(s, weighted_) + model_.terms[s].l2 * search_[c] - sum / model_.total * means_[s];
      curvature += search_[c] * curved_[c];
    }
    return curvature;
  }

  double advance(double length) {
    double largest = 0.0;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      direction_[c] += length * search_[c];
      left_[c] -= length * curved_[c];
      largest = std::max(largest, std::abs(left_[c]));
    }
    for (std::size_t i = 0; i < eta_.size(); ++i) eta_[i] += length * search_eta_[i];
    return largest;
  }

  // The whole step with coordinates that would change sign (or leave the box) set to 0 (or the bound); where that does
  // not lower the model, the step up to the first such one, which always does. Whether it was not whole.
  bool move() {
    moved_ = direction_;
    double part = 1.0;
    std::size_t hit = active_.size();
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const Index s = active_[c];
      if (direction_[c] == 0.0) continue;
      const double target = model_.terms[s].reachable(b_[s], direction_[c]);
      if (target == b_[s] + direction_[c]) continue;
      moved_[c] = target - b_[s];
      add(s, moved_[c] - direction_[c], nullptr, eta_);
      if (moved_[c] / direction_[c] < part || hit == active_.size()) {
        part = std::min(part, moved_[c] / direction_[c]);
        hit = c;
      }
    }
    if (!lowers() && !shorten(part, hit)) return false;
    take();
    return hit < active_.size();
  }

  // back to the first stop; where even that is no progress rounding is all that is left
  bool shorten(double part, std::size_t hit) {
    if (hit == active_.size()) return false;
    eta_.assign(eta_.size(), 0.0);
    for (std::size_t c = 0; c < active_.size(); ++c) {
      if (c != hit) moved_[c] = part * direction_[c];
      add(active_[c], moved_[c], nullptr, eta_);
    }
    return lowers();
  }

  void take() {
    model_.rows.add_product(eta_, state_);
    for (std::size_t c = 0; c < active_.size(); ++c) {
      double& value = b_[active_[c]];
      const double target = value + moved_[c];
      value = value != 0.0 && std::abs(target) <= 1e-15 * std::abs(value) ? 0.0 : target;
      state_sum_ += moved_[c] * means_[active_[c]];
    }
  }

  // whether the step moved_, which shifts eta by eta_, lowers the model
  bool lowers() {
    curved_eta_.assign(eta_.size(), 0.0);
    model_.rows.add_product(eta_, curved_eta_);
    double linear = 0.0;
    double square = 0.0;
    for (std::size_t i = 0; i < eta_.size(); ++i) {
      linear += state_[i] * eta_[i];
      square += curved_eta_[i] * eta_[i];
    }
    double sum = 0.0;
    double penalty = 0.0;
    double size = 0.0;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const Index s = active_[c];
      const double change = model_.terms[s].value(b_[s] + moved_[c]) - model_.terms[s].value(b_[s]);
      sum += moved_[c] * means_[s];
      linear += moved_[c] * start_[s];
      penalty += change;
      size += std::abs(change);
    }
    const double profiled = (state_sum_ + 0.5 * sum) * sum / model_.total;
    size += std::abs(linear) + square + std::abs(profiled);
    return linear + 0.5 * square - profiled + penalty <= 1e-12 * size;
  }

  const Design& design_;
  const Problem& problem_;
  const Model model_;
  double* b_ = nullptr;
  Vector inverse_scale_;
  Vector start_;  // the gradient at b0
  Vector means_;
  Vector diagonal_;
  Vector state_;
  double state_sum_ = 0.0;
  Index entries_read_ = 0;
  // of one Newton step: the active columns, and what belongs to each
  std::vector<Index> active_;
  Vector left_;
  Vector inverse_;  // of the diagonal
  Vector direction_;
  Vector search_;
  Vector curved_;
  Vector moved_;
  Vector eta_;
  Vector curved_eta_;
  Vector search_eta_;
  Vector weighted_;
};

}  // namespace normball
