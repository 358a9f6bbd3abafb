// The quadratic model of a set, minimised block by block on the rows, without the curvature of its values: where these
// come near the rows in number their factors take longer than passes over the columns. Every few passes the last ones
// point to where they lead (Anderson 1965; Bertrand & Massias 2021). For losses that do not couple their outputs.
#pragma once

#include <deque>

#include "paths/blocks/block_state.hpp"
#include "quadratic/block_step.hpp"

namespace normball {

class RowDescent {
 public:
  RowDescent(const Design& design, const OutputsLoss& loss, BlockState& state, Monitor& monitor)
      : design_(design), loss_(loss), state_(state), monitor_(monitor) {}

  // Whether passes may take less time than three factors of the curvature of so many values, of which so many are new.
  bool pays(Index count, Index n_new) {
    budget_ = patience_ * worth(count, n_new);
    return budget_ > least_budget;
  }

  // Towards the minimiser of the model where the problem stands, until no more than a share is left of the violation;
  // false where the passes that it is worth do not get there, or nothing descends.
  bool moves(double lambda, double share) {
    begin(lambda);
    const double least = loss_.traits.is_quadratic ? 1e-3 : 0.03;  // the next step has other curvatures
    const bool arrives = descend(std::clamp(share, least, 0.3) * largest_violation());
    patience_ = arrives ? 1.0 : 0.25 * patience_;
    // what a quadratic model takes for the residual is the residual
    return state_.go_to(theta_, lambda, loss_.traits.is_quadratic ? nullptr : &rows_) && arrives;
  }

 private:
  static constexpr double least_budget = 25.0;  // passes
  static constexpr int active_passes = 10;      // at most, after one over all blocks
  static constexpr std::size_t depth = 5;       // passes that an extrapolation goes by

  struct Iterate {
    Vector theta;
    Vector residual;
  };

  double worth(Index count, Index n_new) const {
    const auto n = static_cast<double>(design_.n_rows);
    const auto q = static_cast<double>(count);
    const double work = q * q * q + n * q * static_cast<double>(n_new);
    return work / (4.0 * n * q) / 4.0;  // BLAS gets on four times as fast with it as with single columns
  }

  Index n_rows() const { return design_.n_rows; }
  Index n_outputs() const { return loss_.n_outputs; }
  const SetColumns& set() const { return state_.set(); }

  void begin(double lambda) {
    lambda_ = lambda;
    const bool is_first = rows_.diagonal.empty();
    if (is_first || !loss_.traits.is_quadratic) {
      loss_.curve(state_.eta().data(), rows_);
      curvatures_.clear();
      bounds_.clear();
      is_even_ = std::ranges::adjacent_find(rows_.diagonal, std::not_equal_to()) == rows_.diagonal.end();
    }
    const auto size = static_cast<std::size_t>(set().size());
    for (Index place = std::ssize(columns_); place < set().size(); ++place) take_columns(place);
    curvatures_.resize(size);
    bounds_.resize(size, 0.0);
    theta_ = state_.theta();
    residual_ = state_.residual();
    recent_.clear();
  }

  void take_columns(Index place) {
    const Index n = n_rows();
    Vector& own = columns_.emplace_back(static_cast<std::size_t>(set().width(place) * n), 1.0);
    if (set().block(place) == SetColumns::intercept) return;
    set().pack(design_, place, place + 1, 0, n, own.data(), n, packed_);
  }

  double largest_violation() const {
    double largest = 0.0;
    state_.for_each_part([&](Index place, Index begin, Index) {
      largest = std::max(largest, state_.part(place, begin, lambda_).distance());
    });
    return largest;
  }

  // whether no violation above `goal` is left
  bool descend(double goal) {
    for (double spent = 0.0; spent < budget_ && !monitor_.stopped();) {
      double worst = 0.0;
      for (Index place = 0; place < set().size(); ++place) worst = std::max(worst, improve(place, goal));
      spent += 1.0;
      if (worst <= goal) return true;
      remember();
      for (int pass = 0; pass < active_passes && worst > goal; ++pass) {
        worst = 0.0;
        Index n_active = 0;
        for (Index place = 0; place < set().size(); ++place) {
          if (is_at_zero(place)) continue;
          worst = std::max(worst, improve(place, 0.3 * goal));
          n_active += set().width(place);
        }
        spent += static_cast<double>(n_active) / static_cast<double>(set().n_columns());
        remember();
        if (recent_.size() > depth) extrapolate();
      }
    }
    return false;
  }

  const double* values(Index place) const { return theta_.data() + state_.first_value(place); }
  Index n_values(Index place) const { return set().width(place) * n_outputs(); }

  bool is_at_zero(Index place) const {
    const double* own = values(place);
    return !state_.terms().is_free(set().block(place)) &&
           std::all_of(own, own + n_values(place), [](double value) { return value == 0.0; });
  }

  // Proximal steps on the parts of a block; the largest violation before.
  double improve(Index place, double goal) {
    const Index width = set().width(place);
    const double* columns = columns_[place].data();
    slopes_.resize(static_cast<std::size_t>(n_values(place)));
    if (width == 1) {
      products(residual_.data(), n_outputs(), columns, slopes_.data());
    } else {
      for (Index k = 0; k < n_outputs(); ++k) {
        products(columns, width, residual_.data() + k * n_rows(), slopes_.data() + k * width);
      }
    }
    const Index block = set().block(place);
    const GroupTerm term = state_.terms().group_term(block, lambda_);
    const Index size = block == SetColumns::intercept ? 1 : state_.terms().part_size(block);
    double worst = 0.0;
    for (Index begin = 0; begin < n_values(place); begin += size) {
      double* b = theta_.data() + state_.first_value(place) + begin;
      const double before = term.violation(slopes_.data() + begin, b, size);
      worst = std::max(worst, before);
      if (before > goal && !BlockStep::is_rounding(term, before)) move(place, term, before, begin, size);
    }
    return worst;
  }

  void move(Index place, const GroupTerm& term, double before, Index begin, Index size) {
    const Index width = set().width(place);
    const Vector& curvature = curvature_of(place);
    double& bound = bounds_[place];
    if (bound == 0.0) {
      for (Index c = 0; c < std::ssize(curvature) / width; ++c) {
        bound = std::max(bound, curvature[c * width + c % width]);
      }
    }
    if (!(bound + term.l2 > 0.0)) return;  // nothing here can move
    double* b = theta_.data() + state_.first_value(place) + begin;
    at_.assign(b, b + size);
    slope_.assign(slopes_.begin() + begin, slopes_.begin() + begin + size);
    const auto multiply = [&](const double* x, double* y) {
      for (Index v = 0; v < size; v += width) {
        const Index k = loss_.traits.is_quadratic ? 0 : (begin + v) / width;
        linalg::gemv(false, width, width, curvature.data() + k * width * width, width, x + v, y + v);
      }
    };
    block_step_.take(term, before, multiply, bound, at_, slope_);
    for (Index v = 0; v < size; ++v) std::swap(at_[v], b[v]);
    for (Index v = 0; v < size; ++v) at_[v] = b[v] - at_[v];
    for (Index v = 0; v < size; v += width) follow(place, (begin + v) / width, at_.data() + v);
  }

  // the residual of one output, after its values of a block have changed
  void follow(Index place, Index k, const double* change) {
    const Index n = n_rows();
    const Index width = set().width(place);
    const double* columns = columns_[place].data();
    double* residual = residual_.data() + k * n;
    if (is_even_) return add(columns, width, rows_.diagonal[k * n], change, residual);
    eta_.assign(static_cast<std::size_t>(n), 0.0);
    add(columns, width, 1.0, change, eta_.data());
    const double* d = rows_.diagonal.data() + k * n;
    for (Index i = 0; i < n; ++i) residual[i] += d[i] * eta_[i];
  }

  // of columns side by side with a vector
  void products(const double* columns, Index count, const double* vector, double* out) const {
    constexpr double centres[4] = {};
    const Index n = n_rows();
    Index c = 0;
    for (; c + 4 <= count; c += 4) {
      const double* four[4] = {columns + c * n, columns + (c + 1) * n, columns + (c + 2) * n, columns + (c + 3) * n};
      double sums[1][4] = {};
      kernels::products4(four, four, centres, &vector, 1, n, sums);
      std::copy_n(sums[0], 4, out + c);
    }
    for (; c < count; ++c) out[c] = kernels::dot(columns + c * n, 0.0, vector, n);
  }

  void add(const double* columns, Index count, double factor, const double* coefs, double* out) const {
    const Index n = n_rows();
    Index c = 0;
    for (; c + 4 <= count; c += 4) {
      const double* four[4] = {columns + c * n, columns + (c + 1) * n, columns + (c + 2) * n, columns + (c + 3) * n};
      const double scaled[4] = {factor * coefs[c], factor * coefs[c + 1], factor * coefs[c + 2], factor * coefs[c + 3]};
      kernels::axpy4(scaled, four, out, n);
    }
    for (; c < count; ++c) {
      if (coefs[c] != 0.0) kernels::axpy(factor * coefs[c], columns + c * n, 0.0, out, n);
    }
  }

  // of a block, for each output: the same for all of them where the loss is quadratic
  const Vector& curvature_of(Index place) {
    Vector& own = curvatures_[place];
    if (!own.empty()) return own;
    const Index n = n_rows();
    const Index width = set().width(place);
    const Index kinds = loss_.traits.is_quadratic ? 1 : n_outputs();
    own.assign(static_cast<std::size_t>(kinds * width * width), 0.0);
    eta_.resize(static_cast<std::size_t>(n));
    for (Index k = 0; k < kinds; ++k) {
      double* out = own.data() + k * width * width;
      for (Index c = 0; c < width; ++c) {
        kernels::scale(1.0, rows_.diagonal.data() + k * n, columns_[place].data() + c * n, eta_.data(), n);
        products(columns_[place].data(), width, eta_.data(), out + c * width);
      }
    }
    return own;
  }

  void remember() {
    if (recent_.size() > depth) recent_.pop_front();
    recent_.push_back({.theta = theta_, .residual = residual_});
  }

  // To the combination of the last iterates whose steps cancel best, if the model is lower there.
  void extrapolate() {
    std::vector<Vector> steps;
    for (std::size_t i = 0; i < depth; ++i) {
      Vector& step = steps.emplace_back(theta_.size());
      std::ranges::transform(recent_[i + 1].theta, recent_[i].theta, step.begin(), std::minus{});
    }
    double products[depth * depth];
    double trace = 0.0;
    for (std::size_t b = 0; b < depth; ++b) {
      for (std::size_t a = 0; a < depth; ++a) {
        products[b * depth + a] = std::inner_product(steps[a].begin(), steps[a].end(), steps[b].begin(), 0.0);
      }
      trace += products[b * depth + b];
    }
    double shares[depth];
    for (std::size_t a = 0; a < depth; ++a) {
      products[a * depth + a] += 1e-10 * trace;
      shares[a] = 1.0;
    }
    if (!(trace > 0.0) || !linalg::cholesky(depth, products, depth)) return;
    linalg::cholesky_solve(depth, products, depth, shares);
    const double sum = std::accumulate(shares, shares + depth, 0.0);
    Iterate found{.theta = Vector(theta_.size(), 0.0), .residual = Vector(residual_.size(), 0.0)};
    for (std::size_t a = 0; a < depth; ++a) {
      const double share = shares[a] / sum;
      kernels::axpy(share, recent_[a + 1].theta.data(), 0.0, found.theta.data(), std::ssize(found.theta));
      kernels::axpy(share, recent_[a + 1].residual.data(), 0.0, found.residual.data(), std::ssize(found.residual));
    }
    if (!(objective(found.theta, found.residual) < objective(theta_, residual_))) return;
    theta_ = std::move(found.theta);
    residual_ = std::move(found.residual);
    recent_.clear();
    remember();
  }

  // of the model, less that where it was made but for the penalty
  double objective(const Vector& theta, const Vector& residual) const {
    double sum = 0.0;
    for (std::size_t v = 0; v < theta.size(); ++v) sum += state_.gradient()[v] * (theta[v] - state_.theta()[v]);
    double squares = 0.0;
    for (std::size_t i = 0; i < residual.size(); ++i) {
      const double change = residual[i] - state_.residual()[i];
      if (change != 0.0) squares += change * (change / rows_.diagonal[i]);
    }
    double penalty = 0.0;
    state_.for_each_part([&](Index place, Index begin, Index size) {
      penalty += state_.terms().group_term(set().block(place), lambda_).value(theta.data() + begin, size);
    });
    return sum + 0.5 * squares + penalty;
  }

  const Design& design_;
  const OutputsLoss& loss_;
  BlockState& state_;
  Monitor& monitor_;
  double lambda_ = 0.0;
  double patience_ = 1.0;  // less after passes that did not get there
  double budget_ = 0.0;    // passes
  RowCurvature rows_;
  bool is_even_ = false;            // all of the same curvature
  std::vector<Vector> columns_;     // of the set, by place: a set only grows
  std::vector<Vector> curvatures_;  // of a block, empty where not known yet
  Vector bounds_;                   // on them
  Vector theta_;
  Vector residual_;  // the model's
  std::deque<Iterate> recent_;
  BlockStep block_step_;
  Vector packed_;
  Vector slopes_;
  Vector at_;
  Vector slope_;
  Vector eta_;
};

}  // namespace normball
