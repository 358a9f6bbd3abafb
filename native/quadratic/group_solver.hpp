// minimise over b:  gradient'(b - b0) + 1/2 (b - b0)'H(b - b0) + sum_blocks term(b_block)
//
// Block coordinate descent (Tseng & Yun 2009; Qin, Scheinberg & Goldfarb 2013) finds which blocks, and which
// coordinates inside them, are zero; on the others the objective is smooth, and Newton's method with projections at
// the kinks (Bertsekas 1982) lands on the minimiser where descent would crawl.
#pragma once

#include "core/blas.hpp"
#include "kernels/kernels.hpp"
#include "quadratic/block_step.hpp"
#include "quadratic/stale_factor.hpp"
#include "quadratic/step.hpp"

namespace normball {

class GroupSolver {
 public:
  struct Block {
    Index first;  // its coordinates are contiguous
    Index count;
    GroupTerm term;
  };
  struct Quadratic {
    Index size;
    const double* H;  // positive semidefinite, both triangles, column-major
    Index stride;
    const std::vector<Block>* blocks;  // every coordinate is in one
    Index version = 0;                 // of H's entries: while it stays the same, columns may join at the end
  };

  // b and gradient are updated in place, until no block's violation exceeds the tolerance or none gets smaller any more
  void solve(const Quadratic& problem, double* b, double* gradient, double tolerance) {
    constexpr int max_rounds = 300;
    constexpr int most_stalled = 12;
    prepare(problem);
    StallRule progress(most_stalled);
    for (int round = 0; round < max_rounds; ++round) {
      const double worst = largest_violation(problem, b, gradient);
      if (worst <= tolerance) return;
      progress.note(worst);
      if (progress.is_stalled()) return;
      if (!descend(problem, b, gradient, tolerance)) step_smoothly(problem, b, gradient, tolerance);
    }
  }

 private:
  // the coordinates of one block on which the objective is smooth, as positions in active_
  struct Part {
    Index block;
    Index begin;
    Index end;
    double norm;        // of the block; counts where the term has a group's share
    double bend = 0.0;  // the curvature of that share across b
  };

  void prepare(const Quadratic& problem) {
    const std::size_t n_blocks = problem.blocks->size();
    if (version_ == problem.version && bounds_.size() == n_blocks) return;
    version_ = problem.version;
    bounds_.assign(n_blocks, 0.0);
    gathered_.clear();
    ridge_ = least_ridge;
  }

  static double diagonal(const Quadratic& problem, Index j) { return problem.H[j * problem.stride + j]; }

  static double largest_violation(const Quadratic& problem, const double* b, const double* gradient) {
    double worst = 0.0;
    for (const Block& block : *problem.blocks) {
      worst = std::max(worst, block.term.violation(gradient + block.first, b + block.first, block.count));
    }
    return worst;
  }

  // Passes over the blocks while they promise to be cheaper than Newton's steps; whether they solved it.
  bool descend(const Quadratic& problem, double* b, double* gradient, double tolerance) {
    constexpr int least_passes = 2;
    const auto n_blocks = static_cast<Index>(problem.blocks->size());
    double last = infinity;
    for (int pass = 1;; ++pass) {
      double worst = 0.0;
      for (Index k = 0; k < n_blocks; ++k) worst = std::max(worst, improve(problem, k, b, gradient, 0.5 * tolerance));
      if (worst <= 0.5 * tolerance) return true;
      const double rate = worst / last;
      last = worst;
      if (pass < least_passes) continue;
      if (!(rate < 1.0) || std::log(0.5 * tolerance / worst) / std::log(rate) > worth_passes(problem, b)) return false;
    }
  }

  // as many passes as three of Newton's steps take time
  static double worth_passes(const Quadratic& problem, const double* b) {
    const auto n_active = static_cast<double>(problem.size - std::count(b, b + problem.size, 0.0));
    return 6.0 + n_active * n_active / (6.0 * static_cast<double>(problem.size));
  }

  // Proximal steps on one block, with its own gradient kept along; the violation before.
  double improve(const Quadratic& problem, Index k, double* b, double* gradient, double enough) {
    const auto& [first, count, term] = (*problem.blocks)[k];
    const double before = term.violation(gradient + first, b + first, count);
    double& bound = bounds_[k];
    if (before <= enough || BlockStep::is_rounding(term, before)) return before;
    if (bound == 0.0) {
      for (Index j = first; j < first + count; ++j) bound = std::max(bound, diagonal(problem, j));
    }
    if (!(bound + term.l2 > 0.0) || before == infinity) return 0.0;  // nothing here can move
    at_.assign(b + first, b + first + count);
    slope_.assign(gradient + first, gradient + first + count);
    const auto multiply = [&](const double* x, double* y) {
      std::fill_n(y, count, 0.0);
      for (Index i = 0; i < count; ++i) {
        const double* column = problem.H + (first + i) * problem.stride + first;
        if (x[i] == 0.0) continue;
        for (Index r = 0; r < count; ++r) y[r] += x[i] * column[r];
      }
    };
    block_step_.take(term, before, multiply, bound, at_, slope_);
    moves_.clear();
    for (Index i = 0; i < count; ++i) {
      const double change = at_[i] - b[first + i];
      if (change != 0.0) moves_.emplace_back(first + i, change);
      b[first + i] = at_[i];
    }
    update_gradient(problem, gradient);
    return before;
  }

  // gradient += H times moves_
  void update_gradient(const Quadratic& problem, double* gradient) const {
    double steps[4];
    const double* columns[4];
    Index count = 0;
    for (std::size_t m = 0; m < moves_.size(); ++m) {
      steps[count] = moves_[m].second;
      columns[count++] = problem.H + moves_[m].first * problem.stride;
      if (m + 1 == moves_.size() && count == 1) {
        kernels::axpy(steps[0], columns[0], 0.0, gradient, problem.size);
        return;
      }
      for (; m + 1 == moves_.size() && count < 4; ++count) {
        steps[count] = 0.0;
        columns[count] = columns[0];
      }
      if (count == 4) kernels::axpy4(steps, columns, gradient, problem.size);
      count %= 4;
    }
  }

  // Newton's method on the active coordinates, as long as it gets on.
  void step_smoothly(const Quadratic& problem, double* b, double* gradient, double tolerance) {
    constexpr int most_steps = 12;
    double last = infinity;
    for (int step = 0; step < most_steps; ++step) {
      set_active(problem, b);
      const double worst = set_slopes(problem, b, gradient);
      if (worst <= 0.3 * tolerance || worst > 0.9 * last) return;
      set_direction(problem, b, std::max(0.05 * tolerance, 0.01 * worst));
      const double length = line_search(problem, b);
      if (length == 0.0) return;
      // a step cut short says nothing about the next one
      last = length == 1.0 && !met_kink_ ? worst : infinity;
      moves_.clear();
      for (std::size_t c = 0; c < active_.size(); ++c) {
        const Index j = active_[c];
        if (landing_[c] == b[j]) continue;
        moves_.emplace_back(j, landing_[c] - b[j]);
        b[j] = landing_[c];
      }
      update_gradient(problem, gradient);
    }
  }

  void set_active(const Quadratic& problem, const double* b) {
    active_.clear();
    parts_.clear();
    for (std::size_t k = 0; k < problem.blocks->size(); ++k) {
      const auto& [first, count, term] = (*problem.blocks)[k];
      const double norm = GroupTerm::norm(b + first, count);
      if (norm == 0.0 && term.selects()) continue;
      const auto begin = static_cast<Index>(active_.size());
      for (Index j = first; j < first + count; ++j) {
        const bool moves = diagonal(problem, j) + term.l2 > 0.0;
        if (moves && (b[j] != 0.0 || term.l1 == 0.0)) active_.push_back(j);
      }
      parts_.push_back(
          {.block = static_cast<Index>(k), .begin = begin, .end = static_cast<Index>(active_.size()), .norm = norm});
    }
  }

  // of the objective along the active coordinates; the longest of a block
  double set_slopes(const Quadratic& problem, const double* b, const double* gradient) {
    double worst = 0.0;
    slopes_.clear();
    for (const Part& part : parts_) {
      const GroupTerm& term = (*problem.blocks)[part.block].term;
      const double shrink = term.l2 + (term.group > 0.0 ? term.group / part.norm : 0.0);
      for (Index c = part.begin; c < part.end; ++c) {
        const Index j = active_[c];
        slopes_.push_back(gradient[j] + shrink * b[j] + (term.l1 > 0.0 ? std::copysign(term.l1, b[j]) : 0.0));
      }
      worst = std::max(worst, GroupTerm::norm(slopes_.data() + part.begin, part.end - part.begin));
    }
    return worst;
  }

  // Newton's, up to a slope of `enough` that may be left.
  void set_direction(const Quadratic& problem, const double* b, double enough) {
    gather(problem, b);
    downhill_.resize(slopes_.size());
    std::ranges::transform(slopes_, downhill_.begin(), [](double slope) { return -slope; });
    const auto multiply = [&](const double* x, double* y) { this->multiply(x, y); };
    if (factor_.solve_nearby(active_, diagonal_, multiply, downhill_, enough, direction_)) return;
    while (!factor_.renew(active_, [&](double* out) { fill(out); }) && ridge_ < 1.0) {
      ridge_ *= 30.0;
      gather(problem, b);
    }
    direction_ = downhill_;
    factor_.solve(direction_.data());
  }

  // The curvature of the objective on the active coordinates: H, the bend of each block's norm and a ridge. Where it
  // is singular the ridge lets a step along the null space run to the next kink; where there is none, it holds what
  // rounding would set adrift.
  void gather(const Quadratic& problem, const double* b) {
    const auto n = static_cast<Index>(active_.size());
    if (gathered_ != active_) {
      gathered_ = active_;
      curvature_.resize(static_cast<std::size_t>(n * n));
      for (Index c = 0; c < n; ++c) {
        const double* column = problem.H + active_[c] * problem.stride;
        for (Index r = 0; r < n; ++r) curvature_[c * n + r] = column[active_[r]];
      }
    }
    units_.assign(active_.size(), 0.0);
    added_.assign(active_.size(), 0.0);
    diagonal_.resize(active_.size());
    for (Part& part : parts_) {
      const GroupTerm& term = (*problem.blocks)[part.block].term;
      part.bend = term.group > 0.0 ? term.group / part.norm : 0.0;
      const double ridge = term.selects() ? ridge_ : std::max(ridge_, least_free_ridge);
      for (Index c = part.begin; c < part.end; ++c) {
        if (part.bend > 0.0) units_[c] = b[active_[c]] / part.norm;
        added_[c] = part.bend + term.l2;
        added_[c] += ridge * (curvature_[c * (n + 1)] + added_[c]);
        diagonal_[c] = curvature_[c * (n + 1)] + added_[c] - part.bend * units_[c] * units_[c];
      }
    }
  }

  void fill(double* out) const {
    const auto n = static_cast<Index>(active_.size());
    for (Index c = 0; c < n; ++c) std::copy_n(curvature_.data() + c * n, c + 1, out + c * n);
    for (const Part& part : parts_) {
      for (Index c = part.begin; c < part.end; ++c) {
        for (Index r = part.begin; r <= c; ++r) out[c * n + r] -= part.bend * units_[c] * units_[r];
        out[c * (n + 1)] += added_[c];
      }
    }
  }

  void multiply(const double* x, double* y) const {
    const auto n = static_cast<Index>(active_.size());
    linalg::gemv(false, n, n, curvature_.data(), n, x, y);
    for (const Part& part : parts_) {
      double along = 0.0;
      for (Index c = part.begin; c < part.end; ++c) along += units_[c] * x[c];
      for (Index c = part.begin; c < part.end; ++c) y[c] += added_[c] * x[c] - part.bend * along * units_[c];
    }
  }

  // How much of the direction is gone, with those that would pass their kink left there: landing_ is where it ends. 0
  // where nothing descends.
  double line_search(const Quadratic& problem, const double* b) {
    const auto n = static_cast<Index>(active_.size());
    landing_.resize(active_.size());
    change_.resize(active_.size());
    image_.resize(active_.size());
    double length = 1.0;
    for (int attempt = 0; attempt < 40; ++attempt) {
      land(problem, b, length);
      double slope = 0.0;
      for (Index c = 0; c < n; ++c) slope += slopes_[c] * change_[c];
      linalg::gemv(false, n, n, curvature_.data(), n, change_.data(), image_.data());
      double bend = 0.0;
      for (Index c = 0; c < n; ++c) bend += change_[c] * image_[c];
      bend = 0.5 * bend + penalty_bend(problem, b);
      if (slope < 0.0 && slope + bend <= 1e-4 * slope) return length;
      // the minimum of the parabola through what is known
      length *= slope < 0.0 ? std::clamp(-0.5 * slope / bend, 0.01, 0.5) : 0.25;
    }
    return 0.0;
  }

  void land(const Quadratic& problem, const double* b, double length) {
    met_kink_ = false;
    for (const Part& part : parts_) {
      const GroupTerm& term = (*problem.blocks)[part.block].term;
      double agreement = 0.0;
      for (Index c = part.begin; c < part.end; ++c) {
        const double from = b[active_[c]];
        landing_[c] = from + length * direction_[c];
        if (term.l1 > 0.0 && landing_[c] * from <= 0.0) {
          landing_[c] = 0.0;
          met_kink_ = true;
        }
        agreement += landing_[c] * from;
      }
      if (term.group > 0.0 && agreement <= 0.0) {
        std::fill(landing_.begin() + part.begin, landing_.begin() + part.end, 0.0);
        met_kink_ = true;
      }
      for (Index c = part.begin; c < part.end; ++c) change_[c] = landing_[c] - b[active_[c]];
    }
  }

  // what the penalty grows by along change_ beyond its slope, without cancellation
  double penalty_bend(const Quadratic& problem, const double* b) const {
    double total = 0.0;
    for (const Part& part : parts_) {
      const GroupTerm& term = (*problem.blocks)[part.block].term;
      double squares = 0.0;
      double along = 0.0;
      double reached = 0.0;
      for (Index c = part.begin; c < part.end; ++c) {
        squares += change_[c] * change_[c];
        along += change_[c] * b[active_[c]];
        reached += landing_[c] * landing_[c];
      }
      total += 0.5 * term.l2 * squares;
      if (term.group == 0.0) continue;
      const double lengths = std::sqrt(reached) + part.norm;
      const double growth = (2.0 * along + squares) / lengths;
      total += term.group * std::max(0.0, (squares - along / part.norm * growth) / lengths);
    }
    return total;
  }

  static constexpr double least_ridge = 1e-13;  // of the diagonal
  static constexpr double least_free_ridge = 1e-9;

  Index version_ = -1;
  Vector bounds_;               // of the curvature of each block, 0 where not known yet
  double ridge_ = least_ridge;  // of the diagonal, that H needed last
  // of one block
  Vector at_;
  Vector slope_;
  BlockStep block_step_;
  std::vector<std::pair<Index, double>> moves_;
  // of Newton's method, in the order of the active coordinates
  std::vector<Index> active_;
  std::vector<Part> parts_;
  std::vector<Index> gathered_;  // whose H is in curvature_
  Vector curvature_;
  Vector units_;     // b over its block's norm
  Vector added_;     // to H's diagonal
  Vector diagonal_;  // of all curvature
  StaleFactor factor_;
  Vector slopes_;
  Vector downhill_;
  Vector direction_;
  Vector landing_;
  Vector change_;
  Vector image_;
  bool met_kink_ = false;
};

}  // namespace normball
