// The quadratic model solved on the columns themselves, without a dense H: for sparse columns a pass over all of them
// costs less than one row of a factorisation. Coordinate descent (Friedman, Hastie & Tibshirani 2010) finds which
// coordinates are zero or at a bound; conjugate gradients on the others, preconditioned by the diagonal, finish.
#pragma once

#include "curvature.hpp"

namespace normball {

// minimise over b:  residual'X(b - b0) + 1/2 |X(b - b0)|_D^2 + sum_j term_j(b_j), the intercept profiled out. The state
// is residual + D X(b - b0), one number a row; a step on a sparse column touches the rows of its entries only, for the
// profiled intercept moves a scalar: the sum of the state.
template <Design D>
class ColumnSolver {
 public:
  struct Model {
    const D& design;
    const Problem& problem;
    const std::vector<Index>& set;
    const std::vector<ElasticNet>& terms;
    const Curvature& curvature;
    const Vector& residual;
  };

  // b is moved to the model's minimiser; returns the intercept's step
  double solve(const Model& model, double tolerance, Monitor& monitor, Vector& b) {
    state_ = model.residual;
    state_sum_ = 0.0;
    for (const double value : state_) state_sum_ += value;
    n_entries_read_ = 0;
    set_means(model);
    const Vector before = b;
    constexpr int largest_n_rounds = 500;
    for (int round = 0; round < largest_n_rounds && !monitor.stopped(); ++round) {
      if (descend(model, true, b) <= tolerance) break;
      if (newton_step(model, tolerance, b)) break;  // the caller looks at the gradient anyway
      for (int step = 0; step < 4 && !newton_step(model, tolerance, b); ++step) {
      }
    }
    n_passes_ = static_cast<double>(n_entries_read_) / (2.0 * Curvature::n_entries(model.design, model.set) + 1.0);
    const Problem& problem = model.problem;
    if (!problem.spec->fit_intercept) return 0.0;
    double intercept_step = -state_sum_ / model.curvature.total();
    for (std::size_t s = 0; s < b.size(); ++s) {
      if (b[s] == before[s]) continue;
      const Index j = model.set[s];
      intercept_step += (b[s] - before[s]) / problem.scale[j] * (model.design.stored_centre(j) + problem.shift[j]);
    }
    return intercept_step;
  }

  // over the whole set, forth and back, that the last solve was worth
  double n_passes() const { return n_passes_; }

 private:
  // of the columns as they are stored, not centred
  void set_means(const Model& model) {
    means_.assign(model.set.size(), 0.0);
    if (!model.problem.spec->fit_intercept) return;
    for (std::size_t s = 0; s < means_.size(); ++s) {
      const Index j = model.set[s];
      const double centre = model.design.stored_centre(j) + model.problem.shift[j];
      means_[s] = model.curvature.mean(s) + model.curvature.total() * centre / model.problem.scale[j];
    }
  }

  double product(const Model& model, std::size_t s, const Vector& rows) {
    const Index j = model.set[s];
    n_entries_read_ += model.design.n_entries(j);
    return model.design.dot(j, rows.data()) / model.problem.scale[j];
  }

  double gradient(const Model& model, std::size_t s) {
    return product(model, s, state_) - state_sum_ / model.curvature.total() * means_[s];
  }

  // one pass over the set or over its nonzero coefficients; the largest violation that it met
  double descend(const Model& model, bool whole_set, Vector& b) {
    double worst = 0.0;
    for (std::size_t s = 0; s < b.size(); ++s) {
      if (!whole_set && b[s] == 0.0) continue;
      const ElasticNet& term = model.terms[s];
      const double curvature = model.curvature.diagonal(s);
      if (curvature + term.l2 <= 0.0) continue;
      const double slope = gradient(model, s);
      worst = std::max(worst, term.violation(slope, b[s]));
      // on the boundary rounding alone would let in a copy of a column that is in already
      if (b[s] == 0.0 && std::abs(slope) <= (1.0 + 1e-13) * term.l1) continue;
      const double step = term.prox(curvature * b[s] - slope, curvature) - b[s];
      if (step == 0.0) continue;
      const Index j = model.set[s];
      n_entries_read_ += model.design.n_entries(j);
      model.design.add(j, step / model.problem.scale[j], model.curvature.weights().data(), state_.data());
      state_sum_ += step * means_[s];
      b[s] += step;
    }
    return worst;
  }

  // Newton's step on the coordinates that are neither zero nor at a bound, with their signs held; true where the
  // whole step fits (or there is none)
  bool newton_step(const Model& model, double tolerance, Vector& b) {
    active_.clear();
    for (std::size_t s = 0; s < b.size(); ++s) {
      const ElasticNet& term = model.terms[s];
      if ((b[s] != 0.0 || term.l1 == 0.0) && term.is_interior(b[s]) && model.curvature.diagonal(s) + term.l2 > 0.0) {
        active_.push_back(s);
      }
    }
    return !conjugate_gradients(model, 0.5 * tolerance, b) || move(model, b);
  }

  // direction_ = -H^-1 (gradient of the active coordinates) roughly, eta_ = X direction_; false where it is zero
  bool conjugate_gradients(const Model& model, double goal, const Vector& b) {
    const std::size_t size = active_.size();
    const Vector& d = model.curvature.weights();
    left_.resize(size);
    double largest = 0.0;
    for (std::size_t c = 0; c < size; ++c) {
      const std::size_t s = active_[c];
      const ElasticNet& term = model.terms[s];
      const auto sign = static_cast<double>((b[s] > 0.0) - (b[s] < 0.0));
      left_[c] = -(gradient(model, s) + term.l2 * b[s] + term.l1 * sign);
      largest = std::max(largest, std::abs(left_[c]));
    }
    if (largest <= goal) return false;
    direction_.assign(size, 0.0);
    search_.assign(size, 0.0);
    curved_.resize(size);
    eta_.assign(d.size(), 0.0);
    double last = 0.0;
    constexpr int largest_n_steps = 100;
    for (int step = 0; step < largest_n_steps && largest > goal; ++step) {
      double now = 0.0;
      for (std::size_t c = 0; c < size; ++c) now += left_[c] * left_[c] / diagonal(model, c);
      const double keep = last == 0.0 ? 0.0 : now / last;
      last = now;
      double floor = 0.0;
      for (std::size_t c = 0; c < size; ++c) {
        search_[c] = left_[c] / diagonal(model, c) + keep * search_[c];
        floor += search_[c] * search_[c] * diagonal(model, c);
      }
      multiply(model);
      double curvature = 0.0;
      for (std::size_t c = 0; c < size; ++c) curvature += search_[c] * curved_[c];
      if (curvature <= 1e-13 * floor) return step > 0;  // a direction that the model does not see
      const double length = now / curvature;
      largest = 0.0;
      for (std::size_t c = 0; c < size; ++c) {
        direction_[c] += length * search_[c];
        left_[c] -= length * curved_[c];
        largest = std::max(largest, std::abs(left_[c]));
      }
      for (std::size_t i = 0; i < d.size(); ++i) eta_[i] += length * search_eta_[i];
    }
    return true;
  }

  double diagonal(const Model& model, std::size_t c) const {
    return model.curvature.diagonal(active_[c]) + model.terms[active_[c]].l2;
  }

  // search_eta_ = X search_, curved_ = H search_
  void multiply(const Model& model) {
    const Vector& d = model.curvature.weights();
    search_eta_.assign(d.size(), 0.0);
    double sum = 0.0;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const Index j = model.set[active_[c]];
      n_entries_read_ += model.design.n_entries(j);
      model.design.add(j, search_[c] / model.problem.scale[j], search_eta_.data());
      sum += search_[c] * means_[active_[c]];
    }
    weighted_.resize(d.size());
    for (std::size_t i = 0; i < d.size(); ++i) weighted_[i] = d[i] * search_eta_[i];
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const std::size_t s = active_[c];
      curved_[c] =
          product(model, s, weighted_) - sum / model.curvature.total() * means_[s] + model.terms[s].l2 * search_[c];
    }
  }

  // The whole step with coordinates that would change sign (or leave the box) set to 0 (or the bound); where that does
  // not lower the model, the step up to the first such coordinate, which always does.
  bool move(const Model& model, Vector& b) {
    const std::size_t size = active_.size();
    moved_ = direction_;
    double part = 1.0;
    std::size_t hit = size;
    for (std::size_t c = 0; c < size; ++c) {
      const double from = b[active_[c]];
      const double target = model.terms[active_[c]].reachable(from, direction_[c]);
      if (target == from + direction_[c]) continue;
      moved_[c] = target - from;
      shift_eta(model, c, moved_[c] - direction_[c]);
      if (moved_[c] / direction_[c] < part || hit == size) {
        part = std::min(part, moved_[c] / direction_[c]);
        hit = c;
      }
    }
    const bool whole = hit == size;
    if (!lowers(model, b)) {
      if (whole) return true;  // rounding is all that is left
      for (std::size_t c = 0; c < size; ++c) {
        if (c != hit) moved_[c] = part * direction_[c];
      }
      std::ranges::fill(eta_, 0.0);
      for (std::size_t c = 0; c < size; ++c) shift_eta(model, c, moved_[c]);
      if (!lowers(model, b)) return true;
    }
    const Vector& d = model.curvature.weights();
    for (std::size_t i = 0; i < d.size(); ++i) state_[i] += d[i] * eta_[i];
    for (std::size_t c = 0; c < size; ++c) {
      double& value = b[active_[c]];
      const double target = value + moved_[c];
      value = value != 0.0 && std::abs(target) <= 1e-15 * std::abs(value) ? 0.0 : target;
      state_sum_ += moved_[c] * means_[active_[c]];
    }
    return whole;
  }

  void shift_eta(const Model& model, std::size_t c, double step) {
    const Index j = model.set[active_[c]];
    n_entries_read_ += model.design.n_entries(j);
    model.design.add(j, step / model.problem.scale[j], eta_.data());
  }

  // whether the step moved_, which shifts eta by eta_, lowers the model
  bool lowers(const Model& model, const Vector& b) const {
    const Vector& d = model.curvature.weights();
    double linear = 0.0;
    double square = 0.0;
    for (std::size_t i = 0; i < d.size(); ++i) {
      linear += state_[i] * eta_[i];
      square += d[i] * eta_[i] * eta_[i];
    }
    double sum = 0.0;
    double penalty = 0.0;
    double size = 0.0;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const std::size_t s = active_[c];
      const double change = model.terms[s].value(b[s] + moved_[c]) - model.terms[s].value(b[s]);
      sum += moved_[c] * means_[s];
      penalty += change;
      size += std::abs(change);
    }
    const double profiled = (state_sum_ + 0.5 * sum) * sum / model.curvature.total();
    size += std::abs(linear) + square + std::abs(profiled);
    return linear + 0.5 * square - profiled + penalty <= 1e-12 * size;
  }

  Vector state_;
  double state_sum_ = 0.0;
  Index n_entries_read_ = 0;
  double n_passes_ = 6.0;  // until there is experience
  Vector means_;
  std::vector<std::size_t> active_;
  Vector direction_;
  Vector left_;
  Vector search_;
  Vector curved_;
  Vector eta_;
  Vector search_eta_;
  Vector weighted_;
  Vector moved_;
};

}  // namespace normball
