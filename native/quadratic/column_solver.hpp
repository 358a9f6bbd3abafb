// The quadratic models of W problems, minimised together on the columns themselves, without a dense H: an entry meets
// all of them in one cache line, sixteen for less than three times the price of one. Coordinate descent (Friedman,
// Hastie & Tibshirani 2010) finds which coordinates are zero or at a bound; conjugate gradients on the others,
// preconditioned by the diagonal, finish. What changes row by row may be kept in single precision: it is added to
// gradients that are exact, and a model is only solved to a hundredth of them.
#pragma once

#include <iterator>
#include <type_traits>

#include "quadratic/interleaved_columns.hpp"

namespace normball {

// minimise over b:  gradient'(b - b0) + 1/2 |X(b - b0)|_D^2 + sum_j term_j(b_j) in every problem, the intercept
// profiled out. The state is D X(b - b0), one number a row; a step on a sparse column touches the rows of its entries
// only, for the profiled intercept moves a scalar: the sum of residuals and state.
template <class T, Index W>
class ColumnSolver {
 public:
  using Matrix = std::conditional_t<W == 1, Design, SparseDesign>;
  using Lanes = Each<W>;
  using Flags = ProblemFlags<W>;
  using Rows = InterleavedArray<T, W>;

  // `most_entries` may be read, over all calls
  ColumnSolver(const Matrix& design, const InterleavedColumns<W>& columns, bool has_intercept, double most_entries)
      : design_(design), columns_(columns), has_intercept_(has_intercept), most_entries_(most_entries) {}

  // `coef` is moved from b0 to the minimisers, in the problems that are open
  void solve(const InterleavedQuadratic<T, W>& model, Monitor& monitor, InterleavedColumn<W>& coef) {
    d_ = &model.d;
    totals_ = model.totals;
    tolerance_ = model.tolerance;
    open_ = model.open;
    b_ = &coef;
    state_.assign(d_->rows(), T{});
    state_sum_ = model.residual_sums;
    has_moved_ = false;
    measure(model);
    for (int round = 0; round < 500 && !is_exhausted() && !monitor.stopped(); ++round) {
      const Lanes worst = descend();
      for (Index k = 0; k < W; ++k) open_[k] = open_[k] && worst[k] > tolerance_[k];
      if (!any(open_)) break;
      Flags unfinished = newton_step(open_);
      open_ = unfinished;  // where the whole step fits the caller looks at the gradient anyway
      for (int step = 0; step < 4 && any(unfinished); ++step) unfinished = newton_step(unfinished);
    }
  }

  // of residuals and state at the minimisers; over the curvature's sum, less, it is how far the intercept moves
  const Lanes& state_sums() const { return state_sum_; }
  Index entries_read() const { return entries_read_; }
  bool is_exhausted() const { return static_cast<double>(entries_read_) > most_entries_; }

 private:
  // of each stored column: the sum with the weights d, and the diagonal of H
  void measure(const InterleavedQuadratic<T, W>& model) {
    means_.resize(columns_.size());
    diagonal_.resize(columns_.size());
    start_.resize(columns_.size());
    T sums[W];
    T squares[W];
    for (Index s = 0; s < columns_.size(); ++s) {
      design_.weighted_sums(columns_.list[s], d_->data(), sums, squares);
      entries_read_ += design_.n_entries(columns_.list[s]);
      for (Index k = 0; k < W; ++k) {
        const double inverse = columns_.inverse_scale[s][k];
        const double sum = has_intercept_ ? static_cast<double>(sums[k]) : 0.0;
        means_[s][k] = sum * inverse;
        diagonal_[s][k] = std::max(0.0, (static_cast<double>(squares[k]) - sum * sum / totals_[k]) * inverse * inverse);
        // of the stored column, which is not centred
        start_[s][k] = model.gradient[s][k] + columns_.centre[s][k] * inverse * model.residual_sums[k];
      }
    }
  }

  void products(Index s, const Rows& rows, double* out) {
    T sums[W];
    entries_read_ += design_.n_entries(columns_.list[s]);
    design_.dot(columns_.list[s], rows.data(), sums);
    for (Index k = 0; k < W; ++k) out[k] = static_cast<double>(sums[k]) * columns_.inverse_scale[s][k];
  }

  void gradients(Index s, double* out) {
    if (has_moved_) {
      products(s, state_, out);
    } else {
      std::fill_n(out, W, 0.0);
    }
    for (Index k = 0; k < W; ++k) out[k] += start_[s][k] - state_sum_[k] / totals_[k] * means_[s][k];
  }

  void add(Index s, const double* steps, const Rows* d, Rows& rows) {
    T scaled[W];
    for (Index k = 0; k < W; ++k) scaled[k] = static_cast<T>(steps[k] * columns_.inverse_scale[s][k]);
    entries_read_ += design_.n_entries(columns_.list[s]);
    design_.add(columns_.list[s], scaled, d == nullptr ? nullptr : d->data(), rows.data());
  }

  // one pass over the columns; the largest violations that it met
  Lanes descend() {
    Lanes worst{};
    double slope[W];
    for (Index s = 0; s < columns_.size(); ++s) {
      gradients(s, slope);
      double* b = (*b_)[s];
      double steps[W] = {};
      bool moves = false;
      for (Index k = 0; k < W; ++k) {
        const ElasticNet& term = columns_.term(s, k);
        const double curvature = diagonal_[s][k];
        // on the boundary rounding alone would let in a copy of a column that is in already
        if (!open_[k] || (b[k] == 0.0 && std::abs(slope[k]) <= (1.0 + 1e-13) * term.l1)) continue;
        if (curvature + term.l2 <= 0.0) continue;
        worst[k] = std::max(worst[k], term.violation(slope[k], b[k]));
        const double step = term.prox(curvature * b[k] - slope[k], curvature) - b[k];
        b[k] += step;
        state_sum_[k] += step * means_[s][k];
        steps[k] = step;
        moves = moves || step != 0.0;
      }
      if (!moves) continue;
      add(s, steps, d_, state_);
      has_moved_ = true;
    }
    return worst;
  }

  // Newton's step on the coordinates off zero and bounds, with their signs held; the problems where it did not fit
  // whole
  Flags newton_step(const Flags& asked) {
    active_.clear();
    for (Index s = 0; s < columns_.size(); ++s) {
      bool active = false;
      for (Index k = 0; k < W && !active; ++k) active = asked[k] && is_active(s, k);
      if (active) active_.push_back(s);
    }
    Flags found = conjugate_gradients(asked);
    return any(found) ? move(found) : found;
  }

  bool is_active(Index s, Index k) const {
    const ElasticNet& term = columns_.term(s, k);
    const double b = (*b_)[s][k];
    return (b != 0.0 || term.l1 == 0.0) && term.is_interior(b) && diagonal_[s][k] + term.l2 > 0.0;
  }

  // direction_ = -H^-1 (gradient of the active coordinates) roughly, eta_ = X direction_; the problems with one
  Flags conjugate_gradients(const Flags& asked) {
    const auto size = std::ssize(active_);
    Lanes largest = start_search(asked);
    Flags running{};
    for (Index k = 0; k < W; ++k) running[k] = asked[k] && largest[k] > 0.5 * tolerance_[k];
    const Flags found = running;
    Lanes last{};
    constexpr int largest_n_steps = 100;
    for (int step = 0; step < largest_n_steps && any(running) && !is_exhausted(); ++step) {
      Lanes now{};
      for (Index c = 0; c < size; ++c) {
        for (Index k = 0; k < W; ++k) now[k] += left_[c][k] * left_[c][k] * inverse_[c][k];
      }
      Lanes keep{};
      for (Index k = 0; k < W; ++k) keep[k] = last[k] == 0.0 ? 0.0 : now[k] / last[k];
      last = now;
      Lanes floor{};
      for (Index c = 0; c < size; ++c) {
        for (Index k = 0; k < W; ++k) {
          double& search = search_[c][k];
          search = left_[c][k] * inverse_[c][k] + keep[k] * search;
          floor[k] += inverse_[c][k] > 0.0 ? search * search / inverse_[c][k] : 0.0;
        }
      }
      const Lanes curvature = multiply();
      Lanes length{};
      for (Index k = 0; k < W; ++k) {
        running[k] = running[k] && curvature[k] > 1e-13 * floor[k];  // else a direction that the model does not see
        length[k] = running[k] ? now[k] / curvature[k] : 0.0;
      }
      largest = advance(length);
      for (Index k = 0; k < W; ++k) running[k] = running[k] && largest[k] > 0.5 * tolerance_[k];
    }
    return found;
  }

  Lanes start_search(const Flags& asked) {
    const auto size = std::ssize(active_);
    left_.assign(size, 0.0);
    inverse_.assign(size, 0.0);
    direction_.assign(size, 0.0);
    search_.assign(size, 0.0);
    curved_.resize(size);
    eta_.assign(d_->rows(), T{});
    Lanes largest{};
    double slope[W];
    for (Index c = 0; c < size; ++c) {
      const Index s = active_[c];
      gradients(s, slope);
      for (Index k = 0; k < W; ++k) {
        if (!asked[k] || !is_active(s, k)) continue;
        const ElasticNet& term = columns_.term(s, k);
        const double b = (*b_)[s][k];
        const auto sign = static_cast<double>((b > 0.0) - (b < 0.0));
        left_[c][k] = -(slope[k] + term.l2 * b + term.l1 * sign);
        inverse_[c][k] = 1.0 / (diagonal_[s][k] + term.l2);
        largest[k] = std::max(largest[k], std::abs(left_[c][k]));
      }
    }
    return largest;
  }

  // search_eta_ = X search_, curved_ = H search_; search_' curved_
  Lanes multiply() {
    search_eta_.assign(d_->rows(), T{});
    Lanes sum{};
    const auto size = std::ssize(active_);
    for (Index c = 0; c < size; ++c) {
      add(active_[c], search_[c], nullptr, search_eta_);
      for (Index k = 0; k < W; ++k) sum[k] += search_[c][k] * means_[active_[c]][k];
    }
    weighted_.resize(d_->rows());
    for (Index e = 0; e < d_->size(); ++e) weighted_.data()[e] = d_->data()[e] * search_eta_.data()[e];
    Lanes curvature{};
    for (Index c = 0; c < size; ++c) {
      const Index s = active_[c];
      products(s, weighted_, curved_[c]);
      for (Index k = 0; k < W; ++k) {
        const double l2 = columns_.term(s, k).l2;
        curved_[c][k] += l2 * search_[c][k] - sum[k] / totals_[k] * means_[s][k];
        if (inverse_[c][k] == 0.0) curved_[c][k] = 0.0;
        curvature[k] += search_[c][k] * curved_[c][k];
      }
    }
    return curvature;
  }

  Lanes advance(const Lanes& length) {
    Lanes largest{};
    for (Index c = 0; c < std::ssize(active_); ++c) {
      for (Index k = 0; k < W; ++k) {
        direction_[c][k] += length[k] * search_[c][k];
        left_[c][k] -= length[k] * curved_[c][k];
        largest[k] = std::max(largest[k], std::abs(left_[c][k]));
      }
    }
    std::array<T, W> short_length;
    for (Index k = 0; k < W; ++k) short_length[k] = static_cast<T>(length[k]);
    for (Index i = 0; i < eta_.rows(); ++i) {
      for (Index k = 0; k < W; ++k) eta_[i][k] += short_length[k] * search_eta_[i][k];
    }
    return largest;
  }

  // The whole step with coordinates that would change sign (or leave the box) set to 0 (or the bound); where that does
  // not lower the model, the step up to the first such one, which always does. The problems where it was not whole.
  Flags move(const Flags& asked) {
    const auto size = std::ssize(active_);
    moved_.copy(direction_);
    Lanes part;
    part.fill(1.0);
    std::array<Index, W> hit;
    hit.fill(size);
    for (Index c = 0; c < size; ++c) {
      Lanes change{};
      bool stops = false;
      for (Index k = 0; k < W; ++k) {
        const double from = (*b_)[active_[c]][k];
        const double step = direction_[c][k];
        if (!asked[k] || step == 0.0) continue;
        const double target = columns_.term(active_[c], k).reachable(from, step);
        if (target == from + step) continue;
        stops = true;
        moved_[c][k] = target - from;
        change[k] = moved_[c][k] - step;
        if (moved_[c][k] / step < part[k] || hit[k] == size) {
          part[k] = std::min(part[k], moved_[c][k] / step);
          hit[k] = c;
        }
      }
      if (stops) add(active_[c], change.data(), nullptr, eta_);
    }
    Flags unfinished{};
    Flags bad{};
    const Flags lowers = lower(asked);
    for (Index k = 0; k < W; ++k) {
      unfinished[k] = asked[k] && hit[k] < size;
      bad[k] = asked[k] && !lowers[k];
    }
    if (any(bad)) shorten(bad, part, hit, unfinished);
    take(asked);
    return unfinished;
  }

  // In the problems that are bad, back to the first stop; where even that is no progress rounding is all that is left.
  void shorten(const Flags& bad, const Lanes& part, const std::array<Index, W>& hit, Flags& unfinished) {
    const auto size = std::ssize(active_);
    Flags tried{};
    for (Index k = 0; k < W; ++k) {
      if (!bad[k]) continue;
      tried[k] = hit[k] < size;
      for (Index c = 0; c < size; ++c) {
        if (c != hit[k]) moved_[c][k] = tried[k] ? part[k] * direction_[c][k] : 0.0;
      }
      eta_.put(k, T{});
    }
    for (Index c = 0; c < size; ++c) {
      Lanes steps{};
      for (Index k = 0; k < W; ++k) steps[k] = tried[k] ? moved_[c][k] : 0.0;
      add(active_[c], steps.data(), nullptr, eta_);
    }
    const Flags lowers = lower(tried);
    for (Index k = 0; k < W; ++k) {
      if (!bad[k] || (tried[k] && lowers[k])) continue;
      unfinished[k] = false;
      moved_.put(k, 0.0);
      eta_.put(k, T{});
    }
  }

  void take(const Flags& asked) {
    for (Index e = 0; e < state_.size(); ++e) state_.data()[e] += d_->data()[e] * eta_.data()[e];
    has_moved_ = true;
    for (Index c = 0; c < std::ssize(active_); ++c) {
      for (Index k = 0; k < W; ++k) {
        if (!asked[k] || moved_[c][k] == 0.0) continue;
        double& value = (*b_)[active_[c]][k];
        const double target = value + moved_[c][k];
        value = value != 0.0 && std::abs(target) <= 1e-15 * std::abs(value) ? 0.0 : target;
        state_sum_[k] += moved_[c][k] * means_[active_[c]][k];
      }
    }
  }

  // whether the step moved_, which shifts eta by eta_, lowers the model
  Flags lower(const Flags& asked) const {
    Lanes linear{};
    Lanes square{};
    for (Index i = 0; i < eta_.rows(); ++i) {
      for (Index k = 0; k < W; ++k) {
        const auto eta = static_cast<double>(eta_[i][k]);
        linear[k] += static_cast<double>(state_[i][k]) * eta;
        square[k] += static_cast<double>((*d_)[i][k]) * eta * eta;
      }
    }
    Lanes sum{}, penalty{}, size{};
    for (Index c = 0; c < std::ssize(active_); ++c) {
      const Index s = active_[c];
      for (Index k = 0; k < W; ++k) {
        if (!asked[k] || moved_[c][k] == 0.0) continue;
        const ElasticNet& term = columns_.term(s, k);
        const double change = term.value((*b_)[s][k] + moved_[c][k]) - term.value((*b_)[s][k]);
        sum[k] += moved_[c][k] * means_[s][k];
        linear[k] += moved_[c][k] * start_[s][k];
        penalty[k] += change;
        size[k] += std::abs(change);
      }
    }
    Flags lowers{};
    for (Index k = 0; k < W; ++k) {
      const double profiled = (state_sum_[k] + 0.5 * sum[k]) * sum[k] / totals_[k];
      size[k] += std::abs(linear[k]) + square[k] + std::abs(profiled);
      lowers[k] = linear[k] + 0.5 * square[k] - profiled + penalty[k] <= rounding * size[k];
    }
    return lowers;
  }

  static constexpr double rounding =
      std::is_same_v<T, double> ? 1e-12 : 1e-7;  // of the rows' sums, relative to what they sum

  const Matrix& design_;
  const InterleavedColumns<W>& columns_;
  bool has_intercept_;
  double most_entries_;
  const Rows* d_ = nullptr;
  InterleavedColumn<W>* b_ = nullptr;
  Lanes totals_{};
  Lanes tolerance_{};
  Flags open_{};
  Rows state_;
  Lanes state_sum_{};
  bool has_moved_ = false;
  Index entries_read_ = 0;
  InterleavedColumn<W> start_;  // the gradient at b0
  InterleavedColumn<W> means_;
  InterleavedColumn<W> diagonal_;
  // of one Newton step: the columns that are active in some problem, and what belongs to each
  std::vector<Index> active_;
  InterleavedColumn<W> left_;
  InterleavedColumn<W> inverse_;  // of the diagonal; 0 where the column is not active in this problem
  InterleavedColumn<W> direction_;
  InterleavedColumn<W> search_;
  InterleavedColumn<W> curved_;
  InterleavedColumn<W> moved_;
  Rows eta_;
  Rows search_eta_;
  Rows weighted_;
};

}  // namespace normball
