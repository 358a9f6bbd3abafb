// Newton's method where the curvature of all values takes more memory than it is worth: conjugate gradients on products
// with it (Nocedal & Wright 2006, 7.1), which are two reads of the set. Kinks are met by projection (Bertsekas 1982).
// The preconditioner is the Gram matrix of the set times the mean curvature of an output, the same for all outputs: for
// classes of like size and even probabilities it is exact (M27; cf. the bound of Boehning 1992).
#pragma once

#include "paths/blocks/block_state.hpp"

namespace normball {

class ProductNewton {
 public:
  ProductNewton(const Design& design, const OutputsLoss& loss, BlockState& state, Threads& threads, Monitor& monitor)
      : design_(design), loss_(loss), state_(state), threads_(threads), monitor_(monitor) {}

  // One step of the blocks that should not rest at zero, and one of the others; false where none descends.
  bool moves(double lambda) {
    loss_.curve(state_.eta().data(), rows_);
    set_scale();
    const bool woke = wakes(lambda);
    if (woke) loss_.curve(state_.eta().data(), rows_);
    choose(lambda);
    Vector direction = solve();
    for (double length = 1.0; length > 0.01; length *= 0.3) {
      if (state_.go_to(landing(lambda, direction, length), lambda)) return true;
    }
    return state_.go_to(landing(lambda, direction, first_kink(direction)), lambda) || woke;
  }

 private:
  static constexpr Index most_columns = 2000;  // of a Gram matrix
  static constexpr int most_steps = 200;
  static constexpr double least_bend = 1e-6;  // holds what neither loss nor penalty does
  static constexpr double enough = 0.05;      // of the slopes may be left: the next step has other curvatures

  // The mean curvature of an output, and the squared length of columns.
  void set_scale() {
    double sum = std::accumulate(rows_.diagonal.begin(), rows_.diagonal.end(), 0.0);
    for (const double root : rows_.root) sum -= root * root;
    const auto n_outputs = static_cast<double>(state_.n_outputs());
    scale_ = sum / n_outputs;
    if (!rows_.root.empty()) scale_ *= n_outputs / (n_outputs - 1.0);
    const SetColumns& set = state_.set();
    const std::vector<Index>& features = set.features();
    if (squares_.size() < features.size()) {
      squares_.resize(features.size());
      const double* weights = state_.problem().weights.data();
      double* out = squares_.data();
      design_.sweep_squares(
          {.columns = {.list = features.data(), .count = std::ssize(features)}, .vectors = &weights, .out = &out},
          threads_);
    }
  }

  double column_square(Index place, Index c) const {
    const SetColumns& set = state_.set();
    double sum = set.block(place) == SetColumns::intercept ? 1.0 : 0.0;
    set.for_each_member(place, c, [&](Index member, double factor) { sum += factor * factor * squares_[member]; });
    return sum;
  }

  // What rests at zero, whole parts or values within one, and whose gradient does not hold it there: a proximal step
  // each, by its own curvature.
  bool wakes(double lambda) {
    Vector target = state_.theta();
    bool any = false;
    state_.for_each_part([&](Index place, Index begin, Index size) {
      const Part part = state_.part(place, begin, lambda);
      if (part.is_free() || part.rests(1.0)) return;
      const double curvature = scale_ * std::max(column_square(place, 0), 1e-300);
      if (part.is_at_zero()) {
        any = true;
        part.prox(curvature, target.data() + begin);
        return;
      }
      const Curved curved = part.curved();
      for (Index v = begin; curved.l1 > 0.0 && v < begin + size; ++v) {
        if (target[v] != 0.0) continue;
        target[v] = soft_threshold(-state_.gradient()[v], curved.l1) / (curvature + curved.l2 + curved.bend);
        any |= target[v] != 0.0;
      }
    });
    return any && state_.go_to(target, lambda);
  }

  // the values that move: their slopes, and the curvature of the penalty there
  void choose(double lambda) {
    const std::size_t size = state_.theta().size();
    is_active_.assign(size, 0);
    slopes_.assign(size, 0.0);
    bends_.assign(size, 0.0);
    parts_.clear();
    state_.for_each_part([&](Index place, Index begin, Index count) {
      const Part part = state_.part(place, begin, lambda);
      if (!part.is_free() && part.is_at_zero()) return;
      const Curved curved = part.curved();
      const double square = column_square(place, 0);
      parts_.push_back({.begin = begin, .count = count, .curved = curved});
      for (Index v = begin; v < begin + count; ++v) {
        const double b = state_.theta()[v];
        if (b == 0.0 && curved.l1 > 0.0) continue;
        is_active_[v] = 1;
        slopes_[v] = state_.gradient()[v] + (curved.l2 + curved.bend) * b +
                     (curved.l1 > 0.0 ? std::copysign(curved.l1, b) : 0.0);
        bends_[v] = curved.l2 + curved.bend + least_bend * scale_ * square;
      }
    });
    make_preconditioner();
  }

  Vector solve() {
    const std::size_t size = slopes_.size();
    Vector solution(size, 0.0);
    Vector residual(size);
    std::ranges::transform(slopes_, residual.begin(), std::negate{});
    Vector search(size, 0.0);
    const double goal = enough * std::sqrt(product(residual, residual));
    double last = 1.0;
    for (int step = 0; step < most_steps && !monitor_.stopped(); ++step) {
      if (std::sqrt(product(residual, residual)) <= goal) break;
      const Vector preconditioned = precondition(residual);
      const double now = product(residual, preconditioned);
      for (std::size_t v = 0; v < size; ++v) search[v] = preconditioned[v] + (step > 0 ? now / last : 0.0) * search[v];
      last = now;
      const Vector image = curve(search);
      const double curvature = product(search, image);
      if (!(curvature > 0.0) || !(now > 0.0)) break;
      for (std::size_t v = 0; v < size; ++v) {
        solution[v] += now / curvature * search[v];
        residual[v] -= now / curvature * image[v];
      }
    }
    return solution;
  }

  // the curvature of loss and penalty times a vector, on the active values
  Vector curve(const Vector& search) {
    Vector rows = state_.eta_of(search);
    state_.multiply(rows_, rows);
    Vector image = state_.products_with(rows);
    for (std::size_t v = 0; v < image.size(); ++v)
      image[v] = is_active_[v] != 0 ? image[v] + bends_[v] * search[v] : 0.0;
    for (const Active& part : parts_) {
      if (part.curved.bend == 0.0) continue;
      double along = 0.0;
      double square = 0.0;
      for (Index v = part.begin; v < part.begin + part.count; ++v) {
        along += state_.theta()[v] * search[v];
        square += state_.theta()[v] * state_.theta()[v];
      }
      for (Index v = part.begin; v < part.begin + part.count; ++v) {
        image[v] -= part.curved.bend * along / square * state_.theta()[v];
      }
    }
    return image;
  }

  // how far it is to where the first value would change its sign
  double first_kink(const Vector& direction) const {
    double length = 1.0;
    for (std::size_t v = 0; v < direction.size(); ++v) {
      if (state_.theta()[v] * direction[v] < 0.0) length = std::min(length, -state_.theta()[v] / direction[v]);
    }
    return length;
  }

  // where a step ends: what would pass zero or a bound stays there
  Vector landing(double lambda, const Vector& direction, double length) const {
    Vector target = state_.theta();
    state_.for_each_part([&](Index place, Index begin, Index) {
      const Part part = state_.part(place, begin, lambda);
      if (part.is_free() || !part.is_at_zero()) part.land(direction.data() + begin, length, target.data() + begin);
    });
    return target;
  }

  // The Gram matrix of the set's columns, new ones beside those that are known.
  void update_gram() {
    const std::vector<Index>& features = state_.set().features();
    const Index count = std::ssize(features);
    const Index known = gram_size_;
    if (known == count) return;
    Vector wider(static_cast<std::size_t>(count * count), 0.0);
    for (Index c = 0; c < known; ++c) std::copy_n(gram_.data() + c * known, known, wider.data() + c * count);
    gram_ = std::move(wider);
    sums_.assign(features.size(), 0.0);
    design_.add_gram({.columns = {.list = features.data(), .count = count},
                      .first_new = known,
                      .d = state_.problem().weights.data(),
                      .out = gram_.data(),
                      .stride = count,
                      .sums = sums_.data()},
                     threads_);
    for (Index b = 0; b < count; ++b) {
      for (Index a = 0; a < b; ++a) gram_[a * count + b] = gram_[b * count + a];
    }
    gram_size_ = count;
  }

  void make_preconditioner() {
    const SetColumns& set = state_.set();
    const Index m = set.n_columns();
    column_bends_.assign(static_cast<std::size_t>(m), 0.0);
    for (Index place = 0; place < set.size(); ++place) {
      for (Index c = 0; c < set.width(place); ++c) {
        double sum = 0.0;
        double count = 0.0;
        for (Index k = 0; k < state_.n_outputs(); ++k) {
          const Index v = state_.first_value(place) + k * set.width(place) + c;
          sum += bends_[v];
          count += is_active_[v];
        }
        column_bends_[set.first(place) + c] = sum / std::max(count, 1.0);
      }
    }
    factor_.clear();
    diagonal_.clear();
    if (m > most_columns) return set_diagonal();
    update_gram();
    factor_.resize(static_cast<std::size_t>(m * m));
    Vector image(static_cast<std::size_t>(gram_size_ + 1));
    for (Index place = 0; place < set.size(); ++place) {
      for (Index c = 0; c < set.width(place); ++c) fill_column(place, c, image);
    }
    if (!linalg::cholesky(m, factor_.data(), m)) {
      factor_.clear();
      set_diagonal();
    }
  }

  void set_diagonal() {
    const SetColumns& set = state_.set();
    for (Index place = 0; place < set.size(); ++place) {
      for (Index c = 0; c < set.width(place); ++c) {
        diagonal_.push_back(scale_ * column_square(place, c) + column_bends_[set.first(place) + c] + 1e-300);
      }
    }
  }

  // one column of the scaled Gram matrix of coordinates, with the curvature of the penalty
  void fill_column(Index place, Index c, Vector& image) {
    const SetColumns& set = state_.set();
    const bool is_intercept = set.block(place) == SetColumns::intercept;
    for (Index a = 0; a < gram_size_; ++a) image[a] = is_intercept ? sums_[a] : 0.0;
    image[gram_size_] = is_intercept ? 1.0 : 0.0;  // product with a column of ones
    set.for_each_member(place, c, [&](Index member, double factor) {
      kernels::axpy(factor, gram_.data() + member * gram_size_, 0.0, image.data(), gram_size_);
      image[gram_size_] += factor * sums_[member];
    });
    const Index m = set.n_columns();
    const Index own = set.first(place) + c;
    for (Index other = 0; other < set.size(); ++other) {
      for (Index d = 0; d < set.width(other); ++d) {
        double sum = set.block(other) == SetColumns::intercept ? image[gram_size_] : 0.0;
        set.for_each_member(other, d, [&](Index member, double factor) { sum += factor * image[member]; });
        factor_[own * m + set.first(other) + d] = scale_ * sum;
      }
    }
    double& diagonal = factor_[own * m + own];
    diagonal += column_bends_[own] + 1e-6 * diagonal;
  }

  Vector precondition(const Vector& residual) const {
    const SetColumns& set = state_.set();
    Vector found(residual.size(), 0.0);
    Vector column(static_cast<std::size_t>(set.n_columns()));
    for (Index k = 0; k < state_.n_outputs(); ++k) {
      const auto at = [&](Index place, Index c) { return state_.first_value(place) + k * set.width(place) + c; };
      for (Index place = 0; place < set.size(); ++place) {
        for (Index c = 0; c < set.width(place); ++c) column[set.first(place) + c] = residual[at(place, c)];
      }
      if (!factor_.empty()) linalg::cholesky_solve(set.n_columns(), factor_.data(), set.n_columns(), column.data());
      for (Index place = 0; place < set.size(); ++place) {
        for (Index c = 0; c < set.width(place); ++c) {
          const Index v = at(place, c);
          const double value = column[set.first(place) + c];
          if (is_active_[v] != 0) found[v] = factor_.empty() ? value / diagonal_[set.first(place) + c] : value;
        }
      }
    }
    return found;
  }

  static double product(const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  }

  struct Active {
    Index begin;
    Index count;
    Curved curved;
  };

  const Design& design_;
  const OutputsLoss& loss_;
  BlockState& state_;
  Threads& threads_;
  Monitor& monitor_;
  RowCurvature rows_;
  double scale_ = 1.0;
  Vector squares_;  // of the features of the set, weighted
  std::vector<std::uint8_t> is_active_;
  Vector slopes_;
  Vector bends_;
  std::vector<Active> parts_;
  Vector gram_;  // of the features of the set
  Vector sums_;
  Index gram_size_ = 0;
  Vector column_bends_;
  Vector factor_;    // of the preconditioner, or where it would be too large
  Vector diagonal_;  // its diagonal
};

}  // namespace normball
