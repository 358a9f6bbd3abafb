// K problems in lockstep, several lambdas ahead: every problem solves a block of lambdas on its working set, then one
// read of the design proves all of them at once, or names the features that were missed (batch screening: Qian et al.
// 2020). What the path's derivative says the gradient will be at the end of the block chooses the working set (cf.
// Larsson & Wallin 2022).
#include <numeric>

#include "paths/path_solver.hpp"
#include "paths/working_set/choose.hpp"
#include "paths/working_set/side_by_side.hpp"
#include "paths/working_set/verification.hpp"

namespace normball {
namespace {

class BlockPath {
 public:
  BlockPath(const Design& design, const Specification& spec, const Losses& losses, const std::vector<Problem>& problems,
            Threads& threads, Monitor& monitor)
      : design_(design),
        spec_(spec),
        problems_(problems),
        threads_(threads),
        monitor_(monitor),
        side_by_side_(design, spec),
        losses_(losses),
        verification_(design, spec, problems, sets_, threads) {
    for (std::size_t k = 0; k < problems.size(); ++k) {
      sets_.push_back(std::make_unique<WorkingSet>(design, *losses[k], problems[k], threads, monitor));
    }
    previous_.resize(problems.size());
    loaded_.resize(problems.size());
  }

  double n_sweeps() const {
    Index read = entries_read_ + side_by_side_.columns_read() + verification_.entries_read();
    for (const auto& set : sets_) read += set->entries_read();
    return static_cast<double>(read) / static_cast<double>(spec_.n_features);
  }

  void fit_null() {
    threads_.parallel_for(spec_.n_problems, [&](Index k) { sets_[k]->fit_null(); });
    sweep_all();
  }
  const Iterate& at(Index k) const { return sets_[k]->at(); }

  void solve(PathResult& result, const double* centre) {
    const auto n_lambdas = static_cast<Index>(result.lambdas.size());
    double previous = std::max(problems_[0].lambda_max, result.lambdas[0]);
    for (Index l = 0; l < n_lambdas && !monitor_.stopped();) {
      previous = warm_up(previous, result.lambdas[l]);
      Index count = 1;  // not far below the last lambda, which is where they start from
      while (count < std::min(n_lambdas - l, ahead_) && result.lambdas[l + count] > 0.5 * previous) ++count;
      const std::span<const double> lambdas(result.lambdas);
      solve_block({.first = l, .lambdas = lambdas.subspan(l, count), .previous = previous, .result = result}, centre);
      l += count;
      previous = result.lambdas[l - 1];
      if (!monitor_.stopped()) monitor_.progress(l, n_lambdas);
    }
  }

 private:
  // an earlier solution of a problem
  struct Previous {
    double lambda = infinity;
    double intercept = 0.0;
    std::vector<std::pair<Index, double>> coef;
  };

  double warm_up(double previous, double lambda) {
    for (const double next : strides(previous, lambda, problems_[0].lambda_max)) {
      if (monitor_.stopped()) break;
      threads_.parallel_for(spec_.n_problems, [&](Index k) { predict_set(k, next, previous); });
      threads_.parallel_for(spec_.n_problems, [&](Index k) {
        sets_[k]->solve(next, {.violation = 1e-2 * problems_[k].gradient_unit(next)}, 20);
      });
      sweep_all();
      verification_.forget_earlier();
      previous = next;
    }
    return previous;
  }

  void solve_block(const Block& block, const double* centre) {
    const auto n_solutions = static_cast<std::size_t>(spec_.n_problems * block.size());
    std::vector<Solution> solutions(n_solutions);
    std::vector<Index> open(n_solutions);
    std::iota(open.begin(), open.end(), 0);
    threads_.parallel_for(spec_.n_problems, [&](Index k) { predict_set(k, block.lambdas.back(), block.previous); });
    goes_side_by_side_ = block.lambdas.back() > 0.0 && !problems_[0].has_nothing_to_explain() &&
                         side_by_side_.pays(sets_[0]->features(), at(0).coef, block.size());
    std::vector<std::uint8_t> alone(n_solutions, goes_side_by_side_ ? 0 : 1);  // those that go one after the other
    Index n_rounds = 0;
    for (; !open.empty() && !monitor_.stopped(); ++n_rounds) {
      if (goes_side_by_side_) solve_side_by_side(block, open, n_rounds > 0, alone, solutions);
      threads_.parallel_for(spec_.n_problems,
                            [&](Index k) { solve_open(block, k, open, alone, n_rounds > 0, solutions); });
      if (monitor_.stopped()) break;
      verification_.read_for(block, open, solutions);
      std::vector<std::uint8_t> closed(open.size());
      threads_.parallel_for(static_cast<Index>(open.size()), [&](Index i) {
        // an open solution that misses nobody is as good as arithmetic makes it
        const bool is_final = n_rounds > 0 && alone[open[i]] != 0;
        closed[i] = close(block, open[i], is_final, solutions[open[i]], centre);
      });
      for (std::size_t i = 0; i < open.size(); ++i) {
        if (closed[i] != 0) continue;
        if (solutions[open[i]].violators.empty()) alone[open[i]] = 1;
        add_violators(open[i] / block.size(), solutions[open[i]]);
      }
      Index i = 0;
      std::erase_if(open, [&](Index) { return closed[i++] != 0; });
    }
    if (monitor_.stopped()) return;
    finish(block, solutions);
    adapt(n_rounds);
  }

  // The set for a block that ends at `lambda`: the features of the model, and those that are expected to join it.
  void predict_set(Index k, double lambda, double previous) {
    const Problem& problem = problems_[k];
    WorkingSet& set = *sets_[k];
    const Vector& coef = set.at().coef;
    const bool has_change = !verification_.earlier(k).empty();
    const std::vector<std::uint8_t> chosen =
        choose(problem, set,
               {.earlier = has_change ? verification_.earlier(k) : set.at().gradient,
                .slope = has_change ? (previous - lambda) / (earlier_lambda_ - previous) : 0.0,
                .lambda = has_change ? lambda : std::max(2.0 * lambda - previous, 0.5 * lambda)},
               // who is missed side by side costs all of them another round
               goes_side_by_side_ ? Margin{.threshold = 0.8, .surplus = 1.0} : Margin{});
    set.prune([&](Index j) { return chosen[j] != 0 || coef[j] != 0.0 || problem.penalty.is_free(j); });
    kernels::for_each_flag(chosen, [&](Index j) { set.include(j); });
  }

  // features that were missed enter, the strongest first and at most twice the present set at once
  void add_violators(Index k, Solution& solution) {
    const std::size_t limit = std::max<std::size_t>(500, 2 * sets_[k]->features().size());
    std::vector<Solution::Violator>& missed = solution.violators;
    if (missed.size() > limit && problems_[k].penalty.selects()) {
      std::ranges::nth_element(missed, missed.begin() + static_cast<Index>(limit), std::greater<>(),
                               [](const Solution::Violator& violator) { return std::abs(violator.gradient); });
      missed.resize(limit);
    }
    for (const auto& violator : missed) sets_[k]->include(violator.feature);
  }

  // the open lambdas of one problem, in order; again from where they stood if they were swept before
  void solve_open(const Block& block, Index k, const std::vector<Index>& open, const std::vector<std::uint8_t>& alone,
                  bool again, std::vector<Solution>& solutions) {
    for (const Index at : open) {
      if (at / block.size() != k || alone[at] == 0) continue;
      const Index i = at % block.size();
      Point& point = block.point(k, i);
      if (again || goes_side_by_side_) {
        sets_[k]->restore(solutions[at]);
      } else {
        sets_[k]->predict(block.lambdas[i], i == 0 ? block.previous : block.lambdas[i - 1]);
      }
      const int allowed = std::max(1, spec_.max_iter - point.n_iter);
      point.n_iter +=
          std::max(1, sets_[k]->solve(block.lambdas[i], {.gap = 0.3 * spec_.tol * problems_[k].null_loss}, allowed));
      sets_[k]->save(solutions[at]);
      loaded_[k] = at;
      if (monitor_.stopped()) return;
    }
  }

  // The open lambdas of all problems; first from where the last solution points to. Who is lost goes on alone.
  void solve_side_by_side(const Block& block, const std::vector<Index>& open, bool again,
                          std::vector<std::uint8_t>& alone, std::vector<Solution>& solutions) {
    std::vector<SideBySide::Effort> efforts(problems_.size());
    threads_.parallel_for(spec_.n_problems, [&](Index k) {
      std::vector<Index> own;
      std::ranges::copy_if(open, std::back_inserter(own),
                           [&](Index at) { return at / block.size() == k && alone[at] == 0; });
      if (own.empty()) return;
      Solution last;
      if (!again) {
        sets_[k]->save(last);
        for (const Index at : own) continue_to(block, k, block.lambdas[at % block.size()], last, solutions[at]);
      }
      std::vector<LambdaTask> tasks;
      tasks.reserve(own.size());
      for (const Index at : own) {
        tasks.push_back({.lambda = block.lambdas[at % block.size()],
                         .goal = 0.9 * spec_.tol * problems_[k].null_loss,
                         .max_steps = std::max(1, spec_.max_iter - block.point(k, at % block.size()).n_iter),
                         .solution = &solutions[at]});
      }
      efforts[k] = side_by_side_.solve(problems_[k], *losses_[k], sets_[k]->features(), tasks, again ? nullptr : &last,
                                       monitor_);
      loaded_[k] = -1;
      for (std::size_t t = 0; t < own.size(); ++t) {
        block.point(k, own[t] % block.size()).n_iter += std::max(1, tasks[t].n_steps);
        alone[own[t]] = tasks[t].is_lost ? 1 : 0;
      }
    });
    side_by_side_.learn(efforts);
  }

  // Along log lambda: the start of a lambda that lies several ahead.
  void continue_to(const Block& block, Index k, double lambda, const Solution& last, Solution& start) const {
    const Previous& previous = previous_[k];
    const double length = std::log(block.previous / lambda) / std::log(previous.lambda / block.previous);
    start.coef = last.coef;
    start.intercept = last.intercept;
    if (!(length > 0.0)) return;
    Vector earlier(last.coef.size(), 0.0);
    for (const auto& [j, value] : previous.coef) {
      if (sets_[k]->position(j) >= 0) earlier[sets_[k]->position(j)] = value;
    }
    start.intercept += length * (last.intercept - previous.intercept);
    for (std::size_t s = 0; s < start.coef.size(); ++s) {
      const double step = length * (last.coef[s] - earlier[s]);
      if (step == 0.0) continue;
      start.coef[s] = continued(problems_[k].term(sets_[k]->features()[s], lambda), last.coef[s], step);
    }
  }

  // certified, out of iterations, beyond what arithmetic can do, or on to another round
  bool close(const Block& block, Index at, bool is_final, const Solution& solution, const double* centre) {
    const Index k = at / block.size();
    const Index i = at % block.size();
    const Problem& problem = problems_[k];
    Point& point = block.point(k, i);
    const Listed all(sets_[k]->features(), solution);
    const Certificate certificate =
        solution.on_set && solution.violators.empty() ? *solution.on_set : all.certificate(problem, block.lambdas[i]);
    point.dual_gap = problem.relative(certificate.gap);
    point.kkt_violation = certificate.kkt_violation;
    if (problem.is_solved(certificate)) {
      point.status = Status::converged;
    } else if (point.n_iter >= spec_.max_iter) {
      point.status = Status::max_iter;
    } else if (is_final && (solution.violators.empty() || std::isnan(solution.loss))) {
      point.status = Status::numerical;
    } else {
      return false;
    }
    problem.write(centre, all.by_residual(), point);
    return true;
  }

  // the last lambda's solution is where the next block starts
  void finish(const Block& block, const std::vector<Solution>& solutions) {
    threads_.parallel_for(spec_.n_problems, [&](Index k) {
      const Index last = (k + 1) * block.size() - 1;
      if (loaded_[k] != last) sets_[k]->restore(solutions[last]);
    });
    for (Index k = 0; k < spec_.n_problems; ++k) remember_previous(block, k, solutions);
    earlier_lambda_ = block.lambdas[Verification::halfway(block)];
    if (earlier_lambda_ <= 1.001 * block.lambdas.back()) verification_.forget_earlier();
  }

  void remember_previous(const Block& block, Index k, const std::vector<Solution>& solutions) {
    previous_[k] = {};
    if (block.size() < 2) return;
    const Index i = std::max<Index>(0, block.size() - 4);  // far enough that few kinks lie between two
    const Solution& solution = solutions[k * block.size() + i];
    previous_[k].lambda = block.lambdas[i];
    previous_[k].intercept = solution.intercept;
    for (std::size_t s = 0; s < solution.coef.size(); ++s) {
      if (solution.coef[s] != 0.0) previous_[k].coef.emplace_back(sets_[k]->features()[s], solution.coef[s]);
    }
  }

  // A block that needed more than two sweeps was too long. The gradient of a curved loss is drawn out less far, since
  // what the set gets wrong costs a second round; large sparse data would pay more for the reads.
  void adapt(Index n_rounds) {
    Index entries = 0;
    for (Index j = 0; j < spec_.n_features; ++j) entries += design_.n_entries(j);
    const Index fitting = entries / (10 * spec_.n_rows * spec_.n_problems);  // residuals, beside X
    const Index drawn_out = spec_.family->is_quadratic || design_.is_sparse() ? 14 : 5;
    // side by side they share their products; 64 MB for what they know of the rows are little even beside a small X
    const Index bearable = std::max<Index>(entries, 8'000'000) / (2 * spec_.n_rows * spec_.n_problems);
    const Index longest = side_by_side_.pays(sets_[0]->features(), at(0).coef, n_side_by_side)
                              ? std::clamp<Index>(bearable, 4, n_side_by_side)
                              : std::clamp<Index>(std::min(fitting, 50 / spec_.n_problems), 3, drawn_out);
    ahead_ =
        n_rounds > 3 ? std::max<Index>(3, ahead_ / 2) : std::min(longest, ahead_ + (n_rounds < 3 ? ahead_ / 2 : 0));
  }

  void sweep_all() {
    std::vector<const double*> vectors;
    std::vector<double*> out;
    for (const auto& set : sets_) {
      vectors.push_back(set->residual().data());
      out.push_back(set->gradient().data());
    }
    design_.sweep({.columns = {.list = nullptr, .count = spec_.n_features},
                   .n_vectors = spec_.n_problems,
                   .vectors = vectors.data(),
                   .out = out.data()},
                  threads_);
    entries_read_ += spec_.n_features;
    for (std::size_t k = 0; k < sets_.size(); ++k) {
      Vector& gradient = sets_[k]->gradient();
      for (Index j = 0; j < spec_.n_features; ++j) {
        gradient[j] = problems_[k].scaling.product(j, gradient[j], sets_[k]->residual_sum());
      }
    }
  }

  const Design& design_;
  const Specification& spec_;
  const std::vector<Problem>& problems_;
  std::vector<std::unique_ptr<WorkingSet>> sets_;
  Threads& threads_;
  Monitor& monitor_;
  SideBySide side_by_side_;
  const Losses& losses_;
  Verification verification_;
  bool goes_side_by_side_ = false;  // the last block
  std::vector<Previous> previous_;
  Index entries_read_ = 0;
  Index ahead_ = 4;
  double earlier_lambda_ = 0.0;  // of the gradients that the proof remembers
  std::vector<Index> loaded_;    // per problem: the solution that its working set holds
};

}  // namespace

PathResult null_models_on_sets(const Call& call, const Losses& losses, std::vector<Problem>& problems,
                               Monitor& monitor) {
  BlockPath solver(call.design, call.spec, losses, problems, call.threads, monitor);
  return null_result(solver, call.spec, problems);
}

constexpr PathSolver by_working_sets = {
    .can = [](const Call& /*call*/) { return true; },
    .pays = [](const Call& /*call*/) { return true; },
    .run = [](const Call& call) { return run_on_rows<BlockPath>(call, call.design); }};

}  // namespace normball
