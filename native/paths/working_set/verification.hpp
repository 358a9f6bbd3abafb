// What one read of the design says of solutions that working sets have found: the gradient on their sets, who is
// missing from these, and the gradients from which the next block's sets are drawn out.
#pragma once

#include <iterator>
#include <memory>

#include "paths/working_set/block.hpp"
#include "paths/working_set/working_set.hpp"
#include "screening/byte_copy.hpp"
#include "screening/exact_sweep.hpp"
#include "screening/float_sweep.hpp"
#include "screening/residual_basis.hpp"

namespace normball {

class Verification {
 public:
  using Sets = std::vector<std::unique_ptr<WorkingSet>>;

  Verification(const Design& design, const Specification& spec, const std::vector<Problem>& problems, const Sets& sets,
               Threads& threads)
      : design_(design),
        dense_(dynamic_cast<const DenseDesign*>(&design)),
        sparse_(dynamic_cast<const SparseDesign*>(&design)),
        spec_(spec),
        problems_(problems),
        sets_(sets),
        threads_(threads),
        earlier_(problems.size()) {
    may_screen_ = problems[0].penalty.selects() && spec.n_features >= 2000 &&
                  (spec.lambdas.empty() ? spec.n_lambdas : std::ssize(spec.lambdas)) >= 10 &&
                  (dense_ == nullptr || ByteCopy::is_possible(spec.n_rows));
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
      solutions[at].violators.clear();
      if (!solutions[at].on_set) solutions[at].gradient.assign(sets_[at / block.size()]->features().size(), 0.0);
      if (at % block.size() == halfway(block)) {
        earlier_[at / block.size()].resize(static_cast<std::size_t>(spec_.n_features));
      }
    }
    if (!verify_by_bounds(block, open, solutions)) verify_in_full(block, open, solutions);
    for (const Index at : open) sift(block, at, solutions[at]);
  }

 private:
  // what is asked of the design for one solution
  struct Query {
    Index k;
    const Problem& problem;
    double threshold;  // per penalty factor
    double residual_sum;
    double dual_distance;  // how far at most the dual point's gradient is from the residual's, per norm of a column
    Slack slack;           // of the products
    double* last;          // where all gradients go, if they are wanted
    double* earlier;
  };

  // What the open solutions of one problem ask, and the basis that stand for their residuals.
  struct Neighbours {
    std::vector<Index> open;
    std::vector<Query> queries;
    ResidualBasis basis;
  };

  // what a screen knows of the columns; null where that is nothing
  struct Bounds {
    const double* missed = nullptr;
    const double* held = nullptr;
  };

  Query query_of(const Block& block, Index at, const Solution& solution) {
    const Index k = at / block.size();
    const Index i = at % block.size();
    return {.k = k,
            .problem = problems_[k],
            .threshold = problems_[k].penalty.threshold(block.lambdas[i]),
            .residual_sum = solution.residual_sum,
            .dual_distance = solution.dual.distance(),
            .slack = {},
            .last = i == block.size() - 1 ? sets_[k]->gradient().data() : nullptr,
            .earlier = i == halfway(block) ? earlier_[k].data() : nullptr};
  }

  // One read of the design, some columns at a time, so that what they yield stays in cache. Sparse designs rearrange
  // the vectors once a call, so their chunks are longer.
  void verify_in_full(const Block& block, const std::vector<Index>& open, std::vector<Solution>& solutions) {
    const auto count = static_cast<Index>(open.size());
    const Index wanted = design_.is_sparse() ? spec_.n_features / 4 + 1 : std::max<Index>(1024, 100'000 / count);
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
    threads_.parallel_for(count, [&](Index v) {
      const Query query = query_of(block, open[v], solutions[open[v]]);
      if (columns.list == nullptr) {
        take_range(query, columns, out[v], solutions[open[v]]);
      } else {
        take_list(query, columns, out[v], solutions[open[v]]);
      }
    });
    entries_read_ += columns.count;
  }

  // what one solution's certificate and the next block need of the products
  void take_range(const Query& query, Columns range, double* products, Solution& solution) const {
    const Vector& scale = query.problem.scaling.scale;
    const auto gradient = [&](Index j) { return scale[j] == 0.0 ? 0.0 : products[j - range.first] / scale[j]; };
    std::vector<std::pair<Index, Index>> found;
    find_survivors(query, {}, range.first, range.count, products, found);
    for (const auto& [k, j] : found) {
      solution.violators.push_back({.feature = j, .gradient = gradient(j), .dual_gradient = gradient(j)});
    }
    const std::vector<Index>& set = sets_[query.k]->features();
    for (std::size_t s = 0; s < set.size(); ++s) {
      const Index j = set[s];
      if (j >= range.first && j < range.first + range.count) solution.gradient[s] = gradient(j);
    }
  }

  void take_list(const Query& query, Columns columns, const double* products, Solution& solution) const {
    for (Index c = 0; c < columns.count; ++c) {
      const Index j = columns[c];
      const double gradient = query.problem.scaling.product(j, products[c], query.residual_sum);
      const Index position = sets_[query.k]->position(j);
      if (position >= 0) {
        solution.gradient[position] = gradient;
      } else if (may_exceed(query, j, gradient)) {
        solution.violators.push_back({.feature = j, .gradient = gradient, .dual_gradient = gradient});
      }
      if (query.last != nullptr) query.last[j] = gradient;
      if (query.earlier != nullptr) query.earlier[j] = gradient;
    }
  }

  void take_known(const Query& query, const Solution& solution) const {
    const std::vector<Index>& set = sets_[query.k]->features();
    for (double* gradient : {query.last, query.earlier}) {
      for (std::size_t s = 0; gradient != nullptr && s < set.size(); ++s) gradient[set[s]] = solution.gradient[s];
    }
  }

  bool may_exceed(const Query& query, Index j, double gradient) const {
    const double apart = query.dual_distance > 0.0 ? query.dual_distance * query.problem.scaling.norm[j] : 0.0;
    return std::abs(gradient) > query.threshold * query.problem.penalty.factor(j) - apart &&
           !query.problem.is_excluded(j);
  }

  // Of the features that may exceed their threshold those stay that do, by either gradient.
  void sift(const Block& block, Index at, Solution& solution) {
    std::vector<Solution::Violator>& violators = solution.violators;
    const Problem& problem = problems_[at / block.size()];
    if (solution.dual.exists() && !violators.empty()) {
      std::vector<Index> features;
      features.reserve(violators.size());
      for (const auto& violator : violators) features.push_back(violator.feature);
      Vector products(features.size());
      const double* vector = solution.dual.rows.data();
      double* out = products.data();
      design_.sweep({.columns = {.list = features.data(), .count = static_cast<Index>(features.size())},
                     .n_vectors = 1,
                     .vectors = &vector,
                     .out = &out},
                    threads_);
      for (std::size_t o = 0; o < violators.size(); ++o) {
        violators[o].dual_gradient = problem.scaling.product(features[o], products[o], solution.dual.sums.total);
      }
    }
    std::erase_if(violators, [&](const Solution::Violator& violator) {
      const ElasticNet term = problem.term(violator.feature, block.lambdas[at % block.size()]);
      return term.violation(violator.gradient, 0.0) == 0.0 && term.violation(violator.dual_gradient, 0.0) == 0.0;
    });
  }

  // Most columns are cleared by products with a bound; the others, and those of the sets, are read. False where that
  // does not pay.
  bool verify_by_bounds(const Block& block, const std::vector<Index>& open, std::vector<Solution>& solutions) {
    const Index fewest = dense_ == nullptr ? FloatSweep::fewest : ByteCopy::fewest;
    const bool screens = may_screen_ && std::ssize(open) >= fewest;
    if (!screens && (dense_ == nullptr || !problems_[0].penalty.selects() || open.size() < 4)) return false;
    std::vector<Neighbours> groups = neighbours(block, open, solutions);
    std::size_t n_members = 0;
    for (const Neighbours& group : groups) n_members += group.basis.list().size();
    double survived = 0.0;
    if (screens) {
      survived = dense_ != nullptr ? clear(made(bytes_, *dense_), groups, block, open, solutions)
                                   : clear(made(floats_, *sparse_), groups, block, open, solutions);
    } else if (2 * n_members <= open.size()) {
      survived = clear(ExactSweep(design_), groups, block, open, solutions);
    } else {
      return false;
    }
    if (n_members < open.size()) {
      if (survived > 0.1) tolerance_ *= 0.1;
    } else if (survived > 0.25) {  // the screen tells too little here
      may_screen_ = false;
      bytes_.reset();
      floats_.reset();
    }
    return true;
  }

  // a screen, which the first time takes one read of the design
  template <class Screen, class Matrix>
  const Screen& made(std::unique_ptr<Screen>& screen, const Matrix& design) {
    if (screen == nullptr) {
      screen = std::make_unique<Screen>(design, threads_);
      entries_read_ += spec_.n_features;
    }
    return *screen;
  }

  // Returns the share of columns that the bounds could not clear.
  template <class Screen>
  double clear(const Screen& screen, std::vector<Neighbours>& groups, const Block& block,
               const std::vector<Index>& open, std::vector<Solution>& solutions) {
    std::vector<const double*> residuals;
    std::vector<const Neighbours*> owner;  // of each of them
    for (const Neighbours& group : groups) {
      for (const Index v : group.basis.list()) residuals.push_back(solutions[group.open[v]].residual.data());
      owner.insert(owner.end(), group.basis.list().size(), &group);
    }
    const typename Screen::Vectors vectors = screen.take(residuals, threads_);
    const Bounds bounds{.missed = screen.missed(), .held = screen.held()};
    Index n_before = 0;
    for (Neighbours& group : groups) {
      for (Index v = 0; v < std::ssize(group.queries); ++v) {
        const Vector& shares = group.basis.combination(v).shares;
        for (std::size_t a = 0; a < shares.size(); ++a) {
          if (shares[a] == 0.0) continue;
          const Slack slack = Screen::slack(vectors, n_before + static_cast<Index>(a));
          group.queries[v].slack.missed += std::abs(shares[a]) * slack.missed;
          group.queries[v].slack.held += std::abs(shares[a]) * slack.held;
        }
      }
      n_before += std::ssize(group.basis.list());
    }
    const Index chunk = Screen::chunk(spec_.n_features);
    const Index n_chunks = (spec_.n_features + chunk - 1) / chunk;
    std::vector<std::vector<std::pair<Index, Index>>> survivors(static_cast<std::size_t>(n_chunks));  // problem, column
    threads_.parallel_for(n_chunks, [&](Index part) {
      const Index first = part * chunk;
      const Index count = std::min(chunk, spec_.n_features - first);
      Vector products;  // of the owner's basis
      screen.multiply(vectors, first, count, [&](Index v, const double* values) {
        if (v == 0 || owner[v] != owner[v - 1]) products.clear();
        products.insert(products.end(), values, values + count);
        if (v + 1 == std::ssize(owner) || owner[v] != owner[v + 1]) {
          find_survivors(*owner[v], bounds, first, count, products, survivors[part]);
        }
      });
    });
    entries_read_ += static_cast<Index>(Screen::share * static_cast<double>(spec_.n_features));
    std::vector<std::vector<Index>> columns(sets_.size());
    Index n_survivors = 0;
    for (auto& found : survivors) {
      std::ranges::sort(found);
      const auto [first, last] = std::ranges::unique(found);
      found.erase(first, last);
      n_survivors += static_cast<Index>(found.size());
      for (const auto& [k, j] : found) columns[k].push_back(j);
    }
    for (Index k = 0; k < spec_.n_problems; ++k) {
      std::vector<Index> own;
      std::ranges::copy_if(open, std::back_inserter(own), [&](Index at) { return at / block.size() == k; });
      if (own.empty()) continue;
      if (std::ranges::all_of(own, [&](Index at) { return solutions[at].on_set.has_value(); })) {
        for (const Index at : own) take_known(query_of(block, at, solutions[at]), solutions[at]);
      } else {
        const std::vector<Index>& set = sets_[k]->features();
        columns[k].insert(columns[k].begin(), set.begin(), set.end());
      }
      read(block, {.list = columns[k].data(), .count = static_cast<Index>(columns[k].size())}, own, solutions);
    }
    return static_cast<double>(n_survivors) / static_cast<double>(spec_.n_features * spec_.n_problems);
  }

  std::vector<Neighbours> neighbours(const Block& block, const std::vector<Index>& open,
                                     const std::vector<Solution>& solutions) {
    std::vector<std::vector<Index>> own(problems_.size());
    for (const Index at : open) own[at / block.size()].push_back(at);
    std::erase_if(own, [](const auto& list) { return list.empty(); });
    std::vector<Neighbours> out(own.size());
    threads_.parallel_for(std::ssize(own), [&](Index g) {
      std::vector<const double*> residuals;
      std::vector<Query> queries;
      Vector tolerances;
      std::vector<std::uint8_t> kept;
      const Problem& problem = problems_[own[g][0] / block.size()];
      const bool has_norms = !problem.scaling.norm.empty();  // without them a remainder says nothing
      const double longest = has_norms ? std::max(std::ranges::max(problem.scaling.norm), 1e-300) : 0.0;
      for (const Index at : own[g]) {
        const Query query = query_of(block, at, solutions[at]);
        residuals.push_back(solutions[at].residual.data());
        queries.push_back(query);
        if (has_norms) tolerances.push_back(tolerance_ * query.threshold / longest);
        kept.push_back(query.last != nullptr || query.earlier != nullptr ? 1 : 0);
      }
      const ResidualBasis basis(residuals, problem.weights, tolerances, kept);
      for (Index v = 0; v < std::ssize(queries); ++v) {
        const ResidualBasis::Combination& combination = basis.combination(v);
        queries[v].dual_distance += combination.remainder;
        queries[v].residual_sum = 0.0;
        for (std::size_t a = 0; a < combination.shares.size(); ++a) {
          const Index member = own[g][basis.list()[a]];
          queries[v].residual_sum += combination.shares[a] * solutions[member].residual_sum;
        }
      }
      out[g] = {.open = own[g], .queries = std::move(queries), .basis = basis};
    });
    return out;
  }

  // `products`: of the basis
  void find_survivors(const Neighbours& group, const Bounds& bounds, Index first, Index count, const Vector& products,
                      std::vector<std::pair<Index, Index>>& survivors) const {
    Vector values(static_cast<std::size_t>(count));
    for (Index v = 0; v < std::ssize(group.queries); ++v) {
      std::ranges::fill(values, 0.0);
      const Vector& shares = group.basis.combination(v).shares;
      for (std::size_t a = 0; a < shares.size(); ++a) {
        if (shares[a] == 0.0) continue;
        kernels::axpy(shares[a], products.data() + static_cast<Index>(a) * count, 0.0, values.data(), count);
      }
      find_survivors(group.queries[v], bounds, first, count, values.data(), survivors);
    }
  }

  // The columns beyond the set that may exceed their threshold; from the products, which become gradients times scale.
  void find_survivors(const Query& query, const Bounds& bounds, Index first, Index count, double* values,
                      std::vector<std::pair<Index, Index>>& survivors) const {
    const Problem& problem = query.problem;
    const double* scales = problem.scaling.scale.data() + first;
    // what is not known stands for itself with a share of 0
    const auto of_columns = [&](const double* known) { return known == nullptr ? scales : known + first; };
    std::vector<std::uint8_t> flags(static_cast<std::size_t>(count));
    kernels::find_survivors({.count = count,
                             .shifts = problem.scaling.shift.data() + first,
                             .scales = scales,
                             .factors = problem.penalty.factors() + first,
                             .norms = of_columns(query.dual_distance > 0.0 ? problem.scaling.norm.data() : nullptr),
                             .missed = of_columns(bounds.missed),
                             .held = of_columns(bounds.held),
                             .total = query.residual_sum,
                             .threshold = query.threshold,
                             .dual_distance = query.dual_distance,
                             .missed_share = query.slack.missed,
                             .held_share = query.slack.held},
                            values, flags.data());
    kernels::for_each_flag(flags, [&](Index c) {
      const Index j = first + c;
      if (!problem.is_excluded(j) && sets_[query.k]->position(j) < 0) survivors.emplace_back(query.k, j);
    });
    for (double* gradient : {query.last, query.earlier}) {
      if (gradient != nullptr) kernels::unscale(values, scales, count, gradient + first);
    }
  }

  const Design& design_;
  const DenseDesign* dense_;  // the design, as what it is
  const SparseDesign* sparse_;
  const Specification& spec_;
  const std::vector<Problem>& problems_;
  const Sets& sets_;
  Threads& threads_;
  bool may_screen_ = false;
  double tolerance_ = 0.05;  // remainders beyond the basis, in thresholds
  std::unique_ptr<ByteCopy> bytes_;
  std::unique_ptr<FloatSweep> floats_;
  Index entries_read_ = 0;
  std::vector<Vector> earlier_;
};

}  // namespace normball
