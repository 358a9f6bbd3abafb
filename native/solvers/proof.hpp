// What one read of the design says of solutions that working sets have found: the gradient on their sets, who is
// missing from these, and the gradients from which the next block's sets are drawn out.
#pragma once

#include <iterator>
#include <memory>
#include <span>

#include "../design/screen.hpp"
#include "working_set.hpp"

namespace normball {

// Consecutive lambdas, and where their points go.
struct Block {
  Index first;
  std::span<const double> lambdas;
  double previous;  // the last lambda solved
  PathResult& result;

  Index size() const { return static_cast<Index>(lambdas.size()); }
  Point& point(Index k, Index i) const {
    return result.points[static_cast<std::size_t>(k) * result.lambdas.size() + static_cast<std::size_t>(first + i)];
  }
};

// A solution as its certificate sees it: the features of the set, and those beyond it that may cost something.
class Listed {
 public:
  Listed(const std::vector<Index>& set, const Solution& solution)
      : solution_(solution),
        features_(set.begin(), set.begin() + std::ssize(solution.gradient)),
        coef_(solution.coef),
        gradient_(solution.gradient),
        dual_gradient_(solution.dual.gradient) {
    for (const auto& outsider : solution.outsiders) {
      features_.push_back(outsider.feature);
      gradient_.push_back(outsider.gradient);
      dual_gradient_.push_back(outsider.dual_gradient);
    }
    coef_.resize(features_.size(), 0.0);
  }

  Problem::Model by_residual() const {
    return {.features = {.list = features_.data(), .count = std::ssize(features_)},
            .coef = coef_.data(),
            .gradient = gradient_.data(),
            .intercept = solution_.intercept,
            .intercept_gradient = solution_.intercept_gradient,
            .loss = solution_.loss,
            .spread = solution_.spread};
  }

  Problem::Model by_dual_point() const {
    Problem::Model model = by_residual();
    model.gradient = dual_gradient_.data();
    model.intercept_gradient = solution_.dual.intercept_gradient;
    model.spread = solution_.dual.sums.spread;
    model.misfit = solution_.dual.sums.misfit;
    return model;
  }

 private:
  const Solution& solution_;
  std::vector<Index> features_;
  Vector coef_;
  Vector gradient_;
  Vector dual_gradient_;
};

template <Design D, Loss L>
class Proof {
 public:
  using Sets = std::vector<std::unique_ptr<WorkingSet<D, L>>>;

  Proof(const D& design, const Specification& spec, std::vector<Problem>& problems, const Sets& sets, Threads& threads)
      : design_(design), spec_(spec), problems_(problems), sets_(sets), threads_(threads), earlier_(problems.size()) {
    may_screen_ = spec.l1_ratio > 0.0 && spec.n_features >= 2000 &&
                  (spec.lambdas.empty() ? spec.n_lambdas : std::ssize(spec.lambdas)) >= 10 &&
                  Screen<D>::is_possible(spec.n_rows);
  }

  Index entries_read() const { return entries_read_; }
  static Index halfway(const Block& block) { return (block.size() - 1) / 2; }

  // all gradients of a problem at the lambda halfway through the last block; empty where they tell nothing
  const Vector& earlier(Index k) const { return earlier_[k]; }
  void forget_earlier() {
    for (Vector& gradient : earlier_) gradient.clear();
  }

  // What the design has to say of all open solutions: the gradient on their sets, and who is missing from these.
  void read_for(const Block& block, const std::vector<Index>& open, std::vector<Solution>& solutions) {
    for (const Index at : open) {
      solutions[at].outsiders.clear();
      solutions[at].gradient.assign(sets_[at / block.size()]->features().size(), 0.0);
      if (at % block.size() == halfway(block)) {
        earlier_[at / block.size()].resize(static_cast<std::size_t>(spec_.n_features));
      }
    }
    if (may_screen_ && std::ssize(open) >= Screen<D>::fewest) {
      prove_by_bounds(block, open, solutions);
    } else {
      prove_in_full(block, open, solutions);
    }
    for (const Index at : open) sift(block, at, solutions[at]);
  }

 private:
  // what is asked of the design for one solution
  struct Question {
    Index k;
    const Problem& problem;
    double threshold;  // per penalty factor
    double residual_sum;
    double reach;  // how far at most the dual point's gradient is from the residual's, per norm of a column
    double* last;  // where all gradients go, if they are wanted
    double* earlier;
  };

  Question question(const Block& block, Index at, const Solution& solution) {
    const Index k = at / block.size();
    const Index i = at % block.size();
    return {.k = k,
            .problem = problems_[k],
            .threshold = block.lambdas[i] * spec_.l1_ratio,
            .residual_sum = solution.residual_sum,
            .reach = solution.dual.reach(),
            .last = i == block.size() - 1 ? problems_[k].gradient.data() : nullptr,
            .earlier = i == halfway(block) ? earlier_[k].data() : nullptr};
  }

  // One read of the design, some columns at a time, so that what they yield stays in cache. Sparse designs rearrange
  // the vectors once a call, so their chunks are longer.
  void prove_in_full(const Block& block, const std::vector<Index>& open, std::vector<Solution>& solutions) {
    const auto count = static_cast<Index>(open.size());
    const Index wanted = D::is_sparse ? spec_.n_features / 4 + 1 : std::max<Index>(1024, 100'000 / count);
    const Index chunk = std::min(wanted, spec_.n_features);
    for (Index first = 0; first < spec_.n_features; first += chunk) {
      read(block, {.list = nullptr, .count = std::min(chunk, spec_.n_features - first), .first = first}, open,
           solutions);
    }
  }

  // exact products of some columns with some solutions' residuals
  void read(const Block& block, Columns columns, const std::vector<Index>& open, std::vector<Solution>& solutions) {
    const auto count = static_cast<Index>(open.size());
    Vector products(static_cast<std::size_t>(count * columns.count));
    std::vector<const double*> vectors;
    std::vector<double*> out;
    for (Index v = 0; v < count; ++v) {
      vectors.push_back(solutions[open[v]].residual.data());
      out.push_back(products.data() + v * columns.count);
    }
    design_.sweep({.columns = columns, .n_vectors = count, .vectors = vectors.data(), .out = out.data()}, threads_);
    const Vector exact(columns.list == nullptr ? static_cast<std::size_t>(columns.count) : 0, 0.0);
    threads_.parallel_for(count, [&](Index v) {
      const Question asked = question(block, open[v], solutions[open[v]]);
      if (columns.list == nullptr) {
        take_range(asked, columns, exact.data(), out[v], solutions[open[v]]);
      } else {
        take_list(asked, columns, out[v], solutions[open[v]]);
      }
    });
    entries_read_ += columns.count;
  }

  // what one solution's certificate and the next block need of the products
  void take_range(const Question& asked, Columns range, const double* exact, double* products,
                  Solution& solution) const {
    const Vector& scale = asked.problem.scale;
    const auto gradient = [&](Index j) { return scale[j] == 0.0 ? 0.0 : products[j - range.first] / scale[j]; };
    std::vector<std::pair<Index, Index>> found;
    find_doubts(asked, range.first, range.count, exact, products, found);
    for (const auto& [k, j] : found) {
      solution.outsiders.push_back({.feature = j, .gradient = gradient(j), .dual_gradient = gradient(j)});
    }
    const std::vector<Index>& set = sets_[asked.k]->features();
    for (std::size_t s = 0; s < set.size(); ++s) {
      const Index j = set[s];
      if (j >= range.first && j < range.first + range.count) solution.gradient[s] = gradient(j);
    }
  }

  void take_list(const Question& asked, Columns columns, const double* products, Solution& solution) const {
    for (Index c = 0; c < columns.count; ++c) {
      const Index j = columns[c];
      const double gradient = asked.problem.standardised(j, products[c], asked.residual_sum);
      const Index position = sets_[asked.k]->position(j);
      if (position >= 0) {
        solution.gradient[position] = gradient;
      } else if (may_exceed(asked, j, gradient)) {
        solution.outsiders.push_back({.feature = j, .gradient = gradient, .dual_gradient = gradient});
      }
      if (asked.last != nullptr) asked.last[j] = gradient;
      if (asked.earlier != nullptr) asked.earlier[j] = gradient;
    }
  }

  bool may_exceed(const Question& asked, Index j, double gradient) const {
    const double apart = asked.reach > 0.0 ? asked.reach * asked.problem.norm[j] : 0.0;
    return std::abs(gradient) > asked.threshold * spec_.penalty_factors[j] - apart && !asked.problem.is_excluded(j);
  }

  // Of the features that may exceed their threshold those stay that do, by either gradient.
  void sift(const Block& block, Index at, Solution& solution) {
    std::vector<Solution::Outsider>& outsiders = solution.outsiders;
    const Problem& problem = problems_[at / block.size()];
    if (solution.dual.exists() && !outsiders.empty()) {
      std::vector<Index> features;
      features.reserve(outsiders.size());
      for (const auto& outsider : outsiders) features.push_back(outsider.feature);
      Vector products(features.size());
      const double* vector = solution.dual.rows.data();
      double* out = products.data();
      design_.sweep({.columns = {.list = features.data(), .count = static_cast<Index>(features.size())},
                     .n_vectors = 1,
                     .vectors = &vector,
                     .out = &out},
                    threads_);
      for (std::size_t o = 0; o < outsiders.size(); ++o) {
        outsiders[o].dual_gradient = problem.standardised(features[o], products[o], solution.dual.sums.total);
      }
    }
    std::erase_if(outsiders, [&](const Solution::Outsider& outsider) {
      const ElasticNet term = problem.term(outsider.feature, block.lambdas[at % block.size()]);
      return term.violation(outsider.gradient, 0.0) == 0.0 && term.violation(outsider.dual_gradient, 0.0) == 0.0;
    });
  }

  // Most columns are cleared by products with a bound; the others, and those of the sets, are read.
  void prove_by_bounds(const Block& block, const std::vector<Index>& open, std::vector<Solution>& solutions) {
    if (!screen_) {
      screen_ = std::make_unique<Screen<D>>(design_, threads_);
      entries_read_ += spec_.n_features;
    }
    std::vector<const double*> residuals;
    std::vector<Question> questions;
    questions.reserve(open.size());
    for (const Index at : open) {
      residuals.push_back(solutions[at].residual.data());
      questions.push_back(question(block, at, solutions[at]));
    }
    const typename Screen<D>::Vectors vectors = screen_->take(residuals, threads_);
    const Index chunk = Screen<D>::chunk(spec_.n_features);
    const Index n_chunks = (spec_.n_features + chunk - 1) / chunk;
    std::vector<std::vector<std::pair<Index, Index>>> doubts(static_cast<std::size_t>(n_chunks));  // problem, column
    threads_.parallel_for(n_chunks, [&](Index part) {
      const Index first = part * chunk;
      const Index count = std::min(chunk, spec_.n_features - first);
      screen_->multiply(vectors, first, count, [&](Index v, double* values, const double* slacks) {
        find_doubts(questions[v], first, count, slacks, values, doubts[part]);
      });
    });
    entries_read_ += static_cast<Index>(Screen<D>::share * static_cast<double>(spec_.n_features));
    std::vector<std::vector<Index>> columns;
    columns.reserve(sets_.size());
    for (const auto& set : sets_) columns.push_back(set->features());
    Index n_doubts = 0;
    for (auto& found : doubts) {
      std::ranges::sort(found);
      const auto [first, last] = std::ranges::unique(found);
      found.erase(first, last);
      n_doubts += static_cast<Index>(found.size());
      for (const auto& [k, j] : found) columns[k].push_back(j);
    }
    for (Index k = 0; k < spec_.n_problems; ++k) {
      std::vector<Index> own;
      std::ranges::copy_if(open, std::back_inserter(own), [&](Index at) { return at / block.size() == k; });
      if (own.empty()) continue;
      read(block, {.list = columns[k].data(), .count = static_cast<Index>(columns[k].size())}, own, solutions);
    }
    if (4 * n_doubts > spec_.n_features * spec_.n_problems) {  // they tell too little here
      may_screen_ = false;
      screen_.reset();
    }
  }

  // The columns beyond the set that may exceed their threshold; from the products and how far these may be off,
  // which become gradients times scale.
  void find_doubts(const Question& asked, Index first, Index count, const double* slacks, double* values,
                   std::vector<std::pair<Index, Index>>& doubts) const {
    const Problem& problem = asked.problem;
    std::vector<std::uint8_t> flags(static_cast<std::size_t>(count));
    kernels::find_doubts({.count = count,
                          .shifts = problem.shift.data() + first,
                          .scales = problem.scale.data() + first,
                          .factors = spec_.penalty_factors + first,
                          .norms = asked.reach > 0.0 ? problem.norm.data() + first : nullptr,
                          .total = asked.residual_sum,
                          .threshold = asked.threshold,
                          .reach = asked.reach},
                         slacks, values, flags.data());
    for (Index c = 0; c < count; ++c) {
      const Index j = first + c;
      if (flags[c] != 0 && !problem.is_excluded(j) && sets_[asked.k]->position(j) < 0) doubts.emplace_back(asked.k, j);
    }
    for (double* gradient : {asked.last, asked.earlier}) {
      for (Index c = 0; gradient != nullptr && c < count; ++c) {
        gradient[first + c] = problem.scale[first + c] == 0.0 ? 0.0 : values[c] / problem.scale[first + c];
      }
    }
  }

  const D& design_;
  const Specification& spec_;
  std::vector<Problem>& problems_;
  const Sets& sets_;
  Threads& threads_;
  bool may_screen_ = false;
  std::unique_ptr<Screen<D>> screen_;
  Index entries_read_ = 0;
  std::vector<Vector> earlier_;
};

}  // namespace normball
