// Ridge on wide data. The solution lies in the row space of X, so with the kernel X V^-1 X' = U diag(e) U' (V: the
// penalty factors) the problem is the same ridge on the n columns of Z = U diag(sqrt e), and b = V^-1 X'U diag(1/sqrt
// e) c (Hastie & Tibshirani 2004, "Efficient quadratic regularization for expression arrays"). Certificates are taken
// in feature space. (M12)
#include <numeric>

#include "core/blas.hpp"
#include "design/dense.hpp"
#include "kernels/kernels.hpp"
#include "paths/path.hpp"
#include "paths/path_solver.hpp"

namespace normball {
namespace {

// The kernel of all rows, upper triangle. Problems that scale the columns alike (folds, unless they standardise)
// share it; each then centres it at its own means.
class RowKernel {
 public:
  explicit RowKernel(const Design& design) : design_(design) {}

  // true where X had to be read
  bool prepare(const Specification& spec, const Problem& problem) {
    Vector root(static_cast<std::size_t>(spec.n_features), 0.0);
    for (Index j = 0; j < spec.n_features; ++j) {
      if (!problem.is_excluded(j)) root[j] = 1.0 / (problem.scaling.scale[j] * std::sqrt(problem.penalty.factor(j)));
    }
    if (root == root_) return false;
    root_ = std::move(root);
    const Index n = spec.n_rows;
    raw_.assign(static_cast<std::size_t>(n * n), 0.0);
    design_.add_kernel(root_.data(), raw_.data());
    return true;
  }

  // about the weighted means of the rows, where there is an intercept
  Vector centred(const Specification& spec, const Problem& problem) const {
    const Index n = spec.n_rows;
    Vector kernel = raw_;
    if (!spec.fit_intercept) return kernel;
    Vector mean(static_cast<std::size_t>(n), 0.0);
    for (Index b = 0; b < n; ++b) {
      for (Index a = 0; a <= b; ++a) {
        mean[a] += raw_[b * n + a] * problem.weights[b];
        if (a < b) mean[b] += raw_[b * n + a] * problem.weights[a];
      }
    }
    const double centre = std::inner_product(mean.begin(), mean.end(), problem.weights.begin(), 0.0);
    for (Index b = 0; b < n; ++b) {
      for (Index a = 0; a <= b; ++a) kernel[b * n + a] += centre - mean[a] - mean[b];
    }
    return kernel;
  }

 private:
  const Design& design_;
  Vector root_;  // per column
  Vector raw_;
};

class RowSpace {
 public:
  RowSpace(const Design& design, Vector kernel, const Specification& spec, const Problem& problem, const Loss& loss,
           Threads& threads)
      : design_(design), spec_(spec), problem_(problem), loss_(loss), threads_(threads), basis_(std::move(kernel)) {
    const Index n = spec.n_rows;
    if (loss_.is_quadratic) {  // the weights go into the kernel, and its eigenvectors are the whole solution
      for (Index b = 0; b < n; ++b) {
        for (Index a = 0; a <= b; ++a) basis_[b * n + a] *= root_weight(a) * root_weight(b);
      }
    }
    Vector values;
    linalg::eigen(n, basis_.data(), values);
    Index first = 0;
    while (first < n - 1 && values[first] <= 1e-13 * values[n - 1]) ++first;
    basis_.erase(basis_.begin(), basis_.begin() + first * n);
    values_.assign(values.begin() + first, values.end());
    for (double& value : values_) value = std::max(0.0, value);
    if (loss_.is_quadratic) return;
    for (Index r = 0; r < rank(); ++r) {
      for (Index i = 0; i < n; ++i) basis_[r * n + i] *= std::sqrt(values_[r]);
    }
  }

  // the design of the reduced problem, which any path solver may solve
  std::unique_ptr<Design> design() const { return dense_design(basis_.data(), spec_.n_rows, rank(), false); }
  Index rank() const { return static_cast<Index>(values_.size()); }

  // Back to features for the solutions [begin, end) of the path: coefficients, gradients and certificates. Squared
  // error has its solutions in closed form; otherwise `points` holds those of the reduced problem.
  void expand(Point* points, const Vector& lambdas, Index begin, Index end, const double* centre) {
    const Index n = spec_.n_rows;
    const Index count = end - begin;
    Vector dual(static_cast<std::size_t>(n * count));  // column by column
    Vector eta(dual.size());
    if (loss_.is_quadratic) {
      close(points + begin, lambdas.data() + begin, count, dual.data(), eta.data());
    } else {
      unfold(points + begin, count, dual.data(), eta.data());
    }
    Vector residual(dual.size());
    std::vector<RowSums> sums(static_cast<std::size_t>(count));
    for (Index l = 0; l < count; ++l) {
      for (Index i = 0; i < n; ++i) eta[l * n + i] += problem_.offset[i] + points[begin + l].intercept;
      sums[l] = loss_.evaluate(eta.data() + l * n, {.residual = residual.data() + l * n});
    }
    const Index p = spec_.n_features;
    Vector products(static_cast<std::size_t>(2 * count * p));
    std::vector<const double*> vectors;
    std::vector<double*> out;
    for (Index v = 0; v < 2 * count; ++v) {
      vectors.push_back(v < count ? dual.data() + v * n : residual.data() + (v - count) * n);
      out.push_back(products.data() + v * p);
    }
    design_.sweep({.columns = {.list = nullptr, .count = p},
                   .n_vectors = 2 * count,
                   .vectors = vectors.data(),
                   .out = out.data()},
                  threads_);
    for (Index l = 0; l < count; ++l) {
      const Iterate at = restored(points[begin + l].intercept, out[l], vectors[l], out[count + l], sums[l]);
      certify(points[begin + l], lambdas[begin + l], at);
      problem_.write(centre, Problem::candidate(at), points[begin + l]);
    }
  }

 private:
  double root_weight(Index i) const { return std::sqrt(problem_.weights[i]); }

  // Squared error: eta = U diag(e / (e + lambda)) U'y and dual = U diag(1 / (e + lambda)) U'y, all lambdas in one
  // product
  void close(Point* points, const double* lambdas, Index count, double* dual, double* eta) const {
    const Index n = spec_.n_rows;
    double mean = 0.0;
    for (Index i = 0; i < n; ++i) mean += problem_.weights[i] * problem_.y[i];
    if (!spec_.fit_intercept) mean = 0.0;
    Vector target(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; ++i) target[i] = root_weight(i) * (problem_.y[i] - mean);
    Vector rotated(values_.size());
    linalg::gemv(true, n, rank(), basis_.data(), n, target.data(), rotated.data());
    Vector inner(static_cast<std::size_t>(rank() * count));
    Vector fitted(inner.size());
    for (Index l = 0; l < count; ++l) {
      points[l].intercept = mean;
      points[l].n_iter = 1;
      points[l].status = Status::converged;
      for (Index r = 0; r < rank(); ++r) {
        const double sum = values_[r] + lambdas[l];
        inner[l * rank() + r] = sum > 0.0 ? rotated[r] / sum : 0.0;
        fitted[l * rank() + r] = values_[r] * inner[l * rank() + r];
      }
    }
    linalg::multiply(n, count, rank(), basis_.data(), inner.data(), dual);
    linalg::multiply(n, count, rank(), basis_.data(), fitted.data(), eta);
    for (Index l = 0; l < count; ++l) {
      for (Index i = 0; i < n; ++i) {
        const double root = root_weight(i);
        dual[l * n + i] *= root;
        eta[l * n + i] = root > 0.0 ? eta[l * n + i] / root : 0.0;
      }
    }
  }

  void unfold(const Point* points, Index count, double* dual, double* eta) const {
    const Index n = spec_.n_rows;
    for (Index l = 0; l < count; ++l) {
      for (std::size_t f = 0; f < points[l].features.size(); ++f) {
        const Index r = points[l].features[f];
        const double value = points[l].values[f];
        kernels::axpy(value, basis_.data() + r * n, 0.0, eta + l * n, n);
        kernels::axpy(value / values_[r], basis_.data() + r * n, 0.0, dual + l * n, n);
      }
    }
  }

  Iterate restored(double intercept, const double* coef_product, const double* dual, const double* gradient_product,
                   const RowSums& sums) const {
    const double dual_sum = std::accumulate(dual, dual + spec_.n_rows, 0.0);
    Iterate at = iterate_at_zero(spec_.n_features);
    for (Index j = 0; j < spec_.n_features; ++j) {
      const double inner = problem_.scaling.product(j, coef_product[j], dual_sum);
      at.coef[j] = problem_.is_excluded(j) ? 0.0 : inner / problem_.penalty.factor(j);
      at.gradient[j] = problem_.scaling.product(j, gradient_product[j], sums.residual);
    }
    at.intercept = intercept;
    at.intercept_gradient = spec_.fit_intercept ? sums.residual : 0.0;
    at.loss = sums.loss + problem_.constant;
    at.pearson = sums.pearson;
    return at;
  }

  void certify(Point& point, double lambda, const Iterate& at) const {
    const Certificate certificate = problem_.certificate(lambda, Problem::candidate(at));
    point.features.clear();
    point.values.clear();
    point.dual_gap = problem_.relative(certificate.gap);
    point.kkt_violation = certificate.kkt_violation;
    if (problem_.is_solved(certificate)) {
      point.status = Status::converged;
    } else if (point.status == Status::converged) {
      point.status = Status::numerical;
    }
  }

  const Design& design_;
  const Specification& spec_;
  const Problem& problem_;
  const Loss& loss_;
  Threads& threads_;
  Vector basis_;   // n x rank: U for squared error, else Z
  Vector values_;  // e
};

bool pays(const Call& call) {
  const Specification& spec = call.spec;
  if (spec.l1_ratio != 0.0 || spec.n_rows > 1500 || spec.n_features <= std::max<Index>(256, spec.n_rows)) return false;
  for (Index k = 0; k < spec.n_problems; ++k) {
    const Penalty penalty = spec.penalty_of(k);
    for (Index j = 0; j < spec.n_features; ++j) {
      if (penalty.is_free(j) || penalty.is_bounded(j)) return false;
    }
  }
  return true;
}

// A problem on the columns of its row space; false if it was interrupted.
bool solve_reduced(const RowSpace& space, const Specification& spec, const Problem& problem, Index k,
                   PathResult& result, Threads& threads, const Monitor::Poll& poll) {
  const Vector ones(static_cast<std::size_t>(space.rank()), 1.0);
  const Vector lower(ones.size(), -infinity);
  const Vector upper(ones.size(), infinity);
  Specification reduced = spec;
  reduced.n_problems = 1;
  reduced.n_features = space.rank();
  reduced.responses = {.data = problem.y};
  reduced.offsets = {.data = problem.offset};
  reduced.weights = spec.weights + k * spec.n_rows;
  reduced.penalty_factors = {.data = ones.data()};
  reduced.lower_bounds = {.data = lower.data()};
  reduced.upper_bounds = {.data = upper.data()};
  reduced.lambdas = result.lambdas;
  reduced.standardize = false;
  reduced.tol = 0.1 * spec.tol;  // the certificate that counts is taken in feature space
  const auto n_lambdas = static_cast<Index>(result.lambdas.size());
  const Monitor::Poll own = [&](Index done, Index total) {
    return poll && poll(k * n_lambdas + done * n_lambdas / std::max<Index>(total, 1), spec.n_problems * n_lambdas);
  };
  const std::unique_ptr<Design> design = space.design();
  PathResult part = solve_path(*design, reduced, threads, own);
  result.interrupted = part.interrupted;
  if (!part.interrupted) std::ranges::move(part.points, result.points.data() + k * n_lambdas);
  return !part.interrupted;
}

// Every problem has a row space of its own (its weights centre and scale the columns), so they are solved one by one.
PathResult run(const Call& call) {
  const Specification& spec = call.spec;
  Vector centre;
  Monitor monitor(call.poll);
  auto [problems, losses] = problems_on_rows(call, centre);
  PathResult result = null_models_on_sets(call, losses, problems, monitor);
  const auto n_lambdas = static_cast<Index>(result.lambdas.size());
  const Index at_once = std::clamp<Index>(spec.n_rows / 8, 4, 50);
  RowKernel kernel(call.design);
  for (Index k = 0; k < spec.n_problems && !result.interrupted; ++k) {
    if (kernel.prepare(spec, problems[k])) result.n_sweeps += 1.0;
    RowSpace space(call.design, kernel.centred(spec, problems[k]), spec, problems[k], *losses[k], call.threads);
    if (!spec.family->is_quadratic) {
      if (!solve_reduced(space, spec, problems[k], k, result, call.threads, call.poll)) break;
    }
    for (Index begin = 0; begin < n_lambdas && !result.interrupted; begin += at_once) {
      const Index end = std::min(n_lambdas, begin + at_once);
      space.expand(result.points.data() + k * n_lambdas, result.lambdas, begin, end, centre.data());
      result.n_sweeps += 1.0;
      if (spec.family->is_quadratic) monitor.progress(k * n_lambdas + end, spec.n_problems * n_lambdas);
      result.interrupted = monitor.stopped();
    }
  }
  return result;
}

}  // namespace

constexpr PathSolver by_row_space = {.can = [](const Call& /*call*/) { return true; }, .pays = pays, .run = run};

}  // namespace normball
