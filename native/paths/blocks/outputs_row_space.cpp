// Ridge of several outputs on wide data: the same ridge on the few columns of the row space, as paths/row_space_path
// has it of one output. Certificates are taken in feature space. (M12)
#include "paths/blocks/block_terms.hpp"
#include "paths/blocks/outputs_problem.hpp"
#include "paths/row_kernel.hpp"

namespace normball {
namespace {

// One problem, back in feature space.
class Expansion {
 public:
  Expansion(const Call& call, OutputsProblem of, const RowBasis& basis, const double* centre)
      : design_(call.design),
        spec_(call.spec),
        threads_(call.threads),
        of_(std::move(of)),
        problem_(of_.problem),
        blocks_(design_, problem_, threads_),
        terms_(blocks_),
        basis_(basis),
        centre_(centre) {}

  // `points`: one for each output, of the reduced problem at first
  void expand(double lambda, Point* points) {
    const Index n = spec_.n_rows;
    const Index n_outputs = spec_.n_outputs;
    Vector eta = of_.offset;
    Vector dual(eta.size(), 0.0);
    for (Index k = 0; k < n_outputs; ++k) {
      for (Index i = 0; i < n; ++i) eta[k * n + i] += points[k].intercept - of_.origins[k];
      basis_.unfold(points[k], n, eta.data() + k * n, dual.data() + k * n);
    }
    Vector residual(eta.size());
    const RowSums sums = settle(eta, residual, points);
    multiply(dual, residual);
    intercepts_.clear();
    totals_.clear();
    for (Index k = 0; k < n_outputs; ++k) {
      const double* own = residual.data() + k * n;
      totals_.push_back(std::accumulate(own, own + n, 0.0));
      intercepts_.push_back(points[k].intercept - of_.origins[k]);
      restore(k, std::accumulate(dual.begin() + k * n, dual.begin() + (k + 1) * n, 0.0), points[k]);
    }
    const double loss = sums.loss + problem_.constant;
    const Certificate certificate = certify(lambda, loss, sums.pearson);
    for (Index k = 0; k < n_outputs; ++k) {
      Point& point = points[k];
      point.loss = loss;
      point.dual_gap = problem_.relative(certificate.gap);
      point.kkt_violation = certificate.kkt_violation;
      if (problem_.is_solved(certificate)) {
        point.status = Status::converged;
      } else if (point.status == Status::converged) {
        point.status = Status::numerical;
      }
    }
  }

 private:
  // Newton's steps of the intercepts, until their sums of residuals are rounding: what is left of these the certificate
  // charges in full, while of the coefficients it charges the square.
  RowSums settle(Vector& eta, Vector& residual, Point* points) const {
    constexpr int most_steps = 10;
    const Index n = spec_.n_rows;
    const Index n_outputs = spec_.n_outputs;
    RowSums sums = of_.loss->evaluate(eta.data(), residual.data());
    RowCurvature rows;
    for (int step = 0; step < most_steps && spec_.fit_intercept; ++step) {
      Vector change(static_cast<std::size_t>(n_outputs), 0.0);
      double largest = 0.0;
      for (Index k = 0; k < n_outputs; ++k) {
        for (Index i = 0; i < n; ++i) change[k] -= residual[k * n + i];
        largest = std::max(largest, std::abs(change[k]));
      }
      if (largest <= 1e-15) break;
      of_.loss->curve(eta.data(), rows);
      Vector curvature = sums_of(rows);
      if (!linalg::cholesky(n_outputs, curvature.data(), n_outputs)) break;
      linalg::cholesky_solve(n_outputs, curvature.data(), n_outputs, change.data());
      for (Index k = 0; k < n_outputs; ++k) {
        points[k].intercept += change[k];
        for (Index i = 0; i < n; ++i) eta[k * n + i] += change[k];
      }
      sums = of_.loss->evaluate(eta.data(), residual.data());
    }
    return sums;
  }

  // the curvature of all rows along the intercepts; the same number in all of them stays what it is
  Vector sums_of(const RowCurvature& rows) const {
    const Index n = spec_.n_rows;
    const Index n_outputs = spec_.n_outputs;
    Vector found(static_cast<std::size_t>(n_outputs * n_outputs), of_.loss->traits.is_shift_invariant ? 1.0 : 0.0);
    for (Index l = 0; l < n_outputs; ++l) {
      for (Index i = 0; i < n; ++i) {
        found[l * (n_outputs + 1)] += rows.diagonal[l * n + i];
        for (Index k = 0; k <= l && !rows.root.empty(); ++k) {
          found[l * n_outputs + k] -= rows.root[k * n + i] * rows.root[l * n + i];
        }
      }
    }
    return found;
  }

  // products of all columns with both, output by output
  void multiply(const Vector& dual, const Vector& residual) {
    const Index p = spec_.n_features;
    const Index n_vectors = 2 * spec_.n_outputs;
    products_.resize(static_cast<std::size_t>(n_vectors * p));
    std::vector<const double*> vectors;
    std::vector<double*> out;
    for (Index v = 0; v < n_vectors; ++v) {
      const Index k = v % spec_.n_outputs;
      vectors.push_back((v < spec_.n_outputs ? dual : residual).data() + k * spec_.n_rows);
      out.push_back(products_.data() + v * p);
    }
    design_.sweep({.columns = {.list = nullptr, .count = p},
                   .n_vectors = n_vectors,
                   .vectors = vectors.data(),
                   .out = out.data()},
                  threads_);
  }

  // the coefficients of one output, per standard deviation in place of their products, and in units of the data
  void restore(Index k, double dual_sum, Point& point) {
    const Scaling& scaling = problem_.scaling;
    double* coefs = products_.data() + k * spec_.n_features;
    point.features.clear();
    point.values.clear();
    for (Index j = 0; j < spec_.n_features; ++j) {
      if (problem_.is_excluded(j)) continue;
      coefs[j] = scaling.product(j, coefs[j], dual_sum) / problem_.penalty.factor(j);
      const double value = coefs[j] / scaling.scale[j];
      if (value == 0.0) continue;
      point.features.push_back(static_cast<std::int32_t>(j));
      point.values.push_back(value);
      // the basis is centred at the problem's means, blocks at the design's centre
      intercepts_[k] -= value * scaling.shift[j];
      point.intercept -= value * (scaling.shift[j] + centre_[j]);
    }
  }

  Certificate certify(double lambda, double loss, double pearson) {
    const Index p = spec_.n_features;
    const auto n_outputs = static_cast<std::size_t>(spec_.n_outputs);
    Vector coefs(static_cast<std::size_t>(p) * n_outputs);
    Vector gradients(coefs.size());
    CertifiedBlocks all(problem_, terms_, lambda);
    if (spec_.fit_intercept) all.add(SetColumns::intercept, intercepts_.data(), totals_.data());
    for (Index b = 0; b < blocks_.size(); ++b) {
      const Index j = blocks_.features(b)[0];
      double* own = coefs.data() + b * spec_.n_outputs;
      double* gradient = gradients.data() + b * spec_.n_outputs;
      for (Index k = 0; k < spec_.n_outputs; ++k) {
        own[k] = products_[k * p + j];
        gradient[k] = products_[(spec_.n_outputs + k) * p + j] / problem_.scaling.scale[j];
      }
      all.add(b, own, gradient);
    }
    return all.certify(loss, pearson);
  }

  const Design& design_;
  const Specification& spec_;
  Threads& threads_;
  OutputsProblem of_;
  const Problem& problem_;
  FeatureBlocks blocks_;
  BlockTerms terms_;
  const RowBasis& basis_;
  const double* centre_;
  Vector products_;
  Vector intercepts_;
  Vector totals_;  // of the residuals
};

// the null models, with the grid and the sizes that follow from them
PathResult null_result(const Call& call) {
  Specification spec = call.spec;
  spec.lambdas.clear();
  spec.n_lambdas = 0;
  PathResult result = by_blocks.run({.design = call.design, .spec = spec, .threads = call.threads, .poll = call.poll});
  const Specification& asked = call.spec;
  result.lambdas = asked.lambdas.empty() ? lambda_grid(result.lambda_max[0], asked.n_lambdas, asked.lambda_min_ratio)
                                         : asked.lambdas;
  result.points.resize(static_cast<std::size_t>(asked.n_problems * asked.n_outputs) * result.lambdas.size());
  return result;
}

void take_null(Problem& problem, const PathResult& result, Index k) {
  problem.judge_null(result.null_loss[k], 0.0, 0.0);  // ridge without free features, which could have no optimum
  problem.largest_gradient = problem.null_gradient = 1e-3 * result.lambda_max[k];  // (M10)
}

// Problem k back in feature space; whether that is the end of it, since all is solved or it was interrupted.
bool expand_all(const Call& call, Expansion& expansion, Index k, Monitor& monitor, PathResult& result) {
  const Index n_outputs = call.spec.n_outputs;
  const auto n_lambdas = static_cast<Index>(result.lambdas.size());
  Point* points = result.points.data() + k * n_lambdas * n_outputs;
  bool is_solved = true;
  for (Index l = 0; l < n_lambdas; ++l) {
    Point* own = points + l * n_outputs;
    monitor.progress((k + 1) * n_lambdas, call.spec.n_problems * n_lambdas);
    result.interrupted = monitor.stopped();
    if (result.interrupted) {
      std::fill_n(own, n_outputs, Point{});  // what is there is of the basis
      continue;
    }
    expansion.expand(result.lambdas[l], own);
    is_solved = is_solved && own->status == Status::converged;
    result.n_sweeps += 1.0;
  }
  return is_solved || result.interrupted;
}

PathResult run(const Call& call) {
  const Specification& spec = call.spec;
  PathResult result = null_result(call);
  Vector centre;
  Index furthest = 0;
  const Monitor::Poll poll = [&](Index done, Index total) {  // a problem that is solved again does not go back
    furthest = std::max(furthest, done);
    return call.poll && call.poll(furthest, total);
  };
  Monitor monitor(poll);
  std::vector<Problem> problems = make_problems(call.design, centre, spec, false, call.threads);
  RowKernel kernel(call.design);
  for (Index k = 0; k < spec.n_problems && !result.interrupted; ++k) {
    if (kernel.prepare(spec, problems[k])) result.n_sweeps += 1.0;
    RowBasis basis(kernel.centred(spec, problems[k]), spec.n_rows);
    basis.stretch();
    const PerProblem responses{.data = problems[k].y};
    const PerProblem offsets{.data = problems[k].offset};
    OutputsProblem of(spec, std::move(problems[k]));
    take_null(of.problem, result, k);
    Expansion expansion(call, std::move(of), basis, centre.data());
    // the basis may be proved by the dual point of a model, features are by the residual alone: where that leaves one
    // unproved, all are solved again to more digits
    for (const double share : {0.1, 1e-4}) {
      const double tol = share * spec.tol;
      if (!solve_on_basis(basis, spec, responses, offsets, k, tol, result, call.threads, poll)) break;
      if (expand_all(call, expansion, k, monitor, result)) break;
    }
  }
  return result;
}

bool can(const Call& call) {
  const Specification& spec = call.spec;
  const bool has_ridge = std::ranges::all_of(spec.lambdas, [](double lambda) { return lambda > 0.0; });
  return spec.n_outputs > 1 && spec.groups.of_feature.empty() && has_ridge;
}

}  // namespace

constexpr PathSolver by_row_space_of_outputs = {
    .can = can, .pays = [](const Call& call) { return row_space_pays(call.spec); }, .run = run};

}  // namespace normball
