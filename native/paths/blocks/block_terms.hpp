// The parts of a penalty over blocks: one coefficient, or several that it takes together; and their certificate.
#pragma once

#include "paths/blocks/set_columns.hpp"

namespace normball {

// A penalty where a part is not zero: l1 |b|_1, and the curvatures of the rest.
struct Curved {
  double l1;
  double l2;
  double bend;  // of a norm, across the direction of b
};

// A part at some values; an intercept is free.
class Part {
 public:
  Part(const GroupTerm& term, const double* b, const double* gradient, Index count)
      : group_(term), b_(b), gradient_(gradient), count_(count) {}
  Part(const ElasticNet& term, const double* b, const double* gradient)
      : is_single_(true), single_(term), b_(b), gradient_(gradient), count_(1) {}

  bool is_excluded() const { return false; }
  bool is_free() const { return is_single_ ? single_.is_free() : group_.is_free(); }
  double strength() const { return is_single_ ? single_.l1 + single_.l2 : group_.l1 + group_.group + group_.l2; }
  double tolerance(double lambda, double negligible) const {
    return std::max(1e-3 * (is_free() ? lambda : strength()), negligible);
  }
  double value() const { return is_single_ ? single_.value(*b_) : group_.value(b_, count_); }
  double distance() const {
    return is_single_ ? single_.violation(*gradient_, *b_) : group_.violation(gradient_, b_, count_);
  }
  double costless_scale() const {
    return is_single_ ? single_.costless_scale(-*gradient_) : group_.costless_scale(gradient_, count_);
  }
  double conjugate(double s) const {
    return is_single_ ? single_.conjugate(-s * *gradient_) : group_.conjugate(scaled(s).data(), count_);
  }
  double free_cost(double size) const {
    double cost = 0.0;
    for (Index v = 0; v < count_; ++v)
      cost += SinglePart{.term = single_, .coef = b_[v], .gradient = gradient_[v]}.free_cost(size);
    return cost;
  }
  bool is_at_zero() const {
    return std::all_of(b_, b_ + count_, [](double value) { return value == 0.0; });
  }
  Curved curved() const {
    if (is_single_) return {.l1 = single_.l1, .l2 = single_.l2, .bend = 0.0};
    const double norm = GroupTerm::norm(b_, count_);
    return {.l1 = group_.l1, .l2 = group_.l2, .bend = group_.group > 0.0 ? group_.group / norm : 0.0};
  }
  // where the proximal step of a part ends, whose curvature is the same in all directions
  void prox(double curvature, double* out) const {
    Vector z(static_cast<std::size_t>(count_));
    for (Index v = 0; v < count_; ++v) z[v] = curvature * b_[v] - gradient_[v];
    if (is_single_) {
      *out = single_.prox(z[0], curvature);
    } else {
      group_.prox(z.data(), curvature, out, count_);
    }
  }
  // where a step ends that stops at the kinks
  void land(const double* direction, double length, double* out) const {
    if (is_single_) {
      *out = single_.reachable(*b_, length * *direction);
      return;
    }
    double agreement = 0.0;
    for (Index v = 0; v < count_; ++v) {
      out[v] = b_[v] + length * direction[v];
      if (group_.l1 > 0.0 && out[v] * b_[v] <= 0.0) out[v] = 0.0;
      agreement += out[v] * b_[v];
    }
    if (group_.group > 0.0 && agreement <= 0.0) std::fill_n(out, count_, 0.0);
  }
  // at zero, with a gradient that keeps it there even if it were larger by 1 / share
  bool rests(double share) const {
    if (is_free() || !is_at_zero()) return false;
    if (is_single_) return single_.violation(*gradient_ / share, 0.0) == 0.0;
    return group_.violation(scaled(1.0 / share).data(), b_, count_) == 0.0;
  }

 private:
  Vector scaled(double s) const {
    Vector found(gradient_, gradient_ + count_);
    for (double& value : found) value *= s;
    return found;
  }

  bool is_single_ = false;
  ElasticNet single_{};
  GroupTerm group_{};
  const double* b_;
  const double* gradient_;
  Index count_;
};

class BlockTerms {
 public:
  explicit BlockTerms(const FeatureBlocks& blocks) : blocks_(blocks) {}

  Index n_outputs() const { return blocks_.n_outputs(); }
  bool joins_values() const { return blocks_.joins_values(); }
  bool is_free(Index block) const { return block == SetColumns::intercept || blocks_.is_free(block); }
  Index n_parts(Index block) const { return block == SetColumns::intercept ? 1 : blocks_.n_parts(); }
  Index part_size(Index block) const { return block == SetColumns::intercept ? n_outputs() : blocks_.part_size(block); }
  bool is_single(Index block) const { return block != SetColumns::intercept && blocks_.is_single(block); }
  ElasticNet single_term(Index block, double lambda) const { return blocks_.single_term(block, lambda); }
  // of values that the penalty takes together, or of a single one, which has no bounds beside groups
  GroupTerm group_term(Index block, double lambda) const {
    if (block == SetColumns::intercept) return {};
    if (!is_single(block)) return blocks_.group_term(block, lambda);
    const ElasticNet term = single_term(block, lambda);
    return {.l1 = term.l1, .group = 0.0, .l2 = term.l2};
  }

  // of values that begin at b and gradient
  Part part(Index block, double lambda, const double* b, const double* gradient) const {
    if (is_single(block)) return {single_term(block, lambda), b, gradient};
    return {group_term(block, lambda), b, gradient, part_size(block)};
  }

  // whether a whole block stays at zero
  bool rests(Index block, double lambda, const double* b, const double* gradient) const {
    for (Index v = 0; v < n_parts(block) * part_size(block); v += part_size(block)) {
      if (!part(block, lambda, b + v, gradient + v).rests(1.0)) return false;
    }
    return true;
  }

 private:
  const FeatureBlocks& blocks_;
};

// Without a penalty nothing but the way there decides what all outputs of a feature have in common: it is to be taken
// out. for_each_coef(visit) calls visit(feature, coefficient) for each output, in units of the data.
template <class ForEach>
Vector common_part(const Problem& problem, bool is_shift_invariant, double lambda, const ForEach& for_each_coef) {
  Vector common(static_cast<std::size_t>(problem.spec->n_features), 0.0);
  if (lambda > 0.0 || !is_shift_invariant) return common;
  for_each_coef([&](Index j, double coef) {
    if (!problem.penalty.is_bounded(j)) common[j] += coef / static_cast<double>(problem.spec->n_outputs);
  });
  return common;
}

// As Problem::take_null, of blocks; for_each(visit) calls visit(block, b, gradient) for each at its null model.
template <class Sums, class ForEach>
void take_null(Problem& problem, const FeatureBlocks& blocks, const Sums& at, const ForEach& for_each) {
  const Family& family = *problem.spec->family;
  const BlockTerms terms(blocks);
  problem.null_loss = at.loss;
  double free_cost = 0.0;
  double reach = 0.0;
  for_each([&](Index block, const double* b, const double* gradient) {
    const Index size = terms.part_size(block);
    const Index count = terms.n_parts(block) * size;
    for (Index v = 0; v < count && terms.is_free(block); v += size) {
      free_cost += terms.part(block, 0.0, b + v, gradient + v).free_cost(problem.natural_size());
    }
    if (block == SetColumns::intercept) return;
    for (Index v = 0; v < count; ++v) {
      reach += std::abs(b[v]);
      problem.null_gradient = std::max(problem.null_gradient, std::abs(gradient[v]));
    }
    problem.largest_gradient = std::max(problem.largest_gradient, blocks.strength_asked(block, gradient));
  });
  problem.judge_null(at.loss, free_cost, reach);
  problem.lambda_max = problem.largest_gradient / std::max(problem.penalty.l1_ratio(), 1e-3);
  if (family.is_location && !problem.penalty.selects() && problem.largest_gradient > 0.0) {
    const double squares = family.is_quadratic ? 2.0 * at.loss : at.squares;
    problem.lambda_max /= std::sqrt(std::max(squares, problem.negligible_loss));
  }
}

// Blocks with their values and gradients at one lambda, as their certificate sees them. Those that rest at zero cost
// nothing and need not be among them.
class CertifiedBlocks {
 public:
  CertifiedBlocks(const Problem& problem, const BlockTerms& terms, double lambda)
      : problem_(problem), terms_(terms), lambda_(lambda) {}

  void add(Index block, const double* b, const double* gradient) {
    const Index size = terms_.part_size(block);
    const Index count = terms_.n_parts(block) * size;
    const bool is_single = terms_.is_single(block);
    const ElasticNet single = is_single ? terms_.single_term(block, lambda_) : ElasticNet{};
    for (Index v = 0; v < count; v += size) {
      if (is_single && b[v] == 0.0 && !single.is_free() && single.violation(gradient[v], 0.0) == 0.0) continue;
      parts_.push_back(terms_.part(block, lambda_, b + v, gradient + v));
    }
    for (Index v = 0; v < count; ++v) fitted_ += b[v] * gradient[v];
  }

  // gradients are those of the residual, or of a dual point with these sums
  Certificate certify(double loss, double pearson, double dual_pearson = 0.0) const {
    const auto part_at = [&](Index i) -> const Part& { return parts_[i]; };
    return normball::certify(std::ssize(parts_), part_at, loss, problem_.measure(lambda_),
                             [&](double s) { return conjugate_bound(s, fitted_, loss, pearson, dual_pearson); });
  }

 private:
  const Problem& problem_;
  const BlockTerms& terms_;
  double lambda_;
  std::vector<Part> parts_;
  double fitted_ = 0.0;
};

}  // namespace normball
