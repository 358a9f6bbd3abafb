// Ridge on wide data. The solution lies in the row space of X, so the problem is the same ridge on the n columns of Z,
// and b = V^-1 X'U diag(1/sqrt e) c (Hastie & Tibshirani 2004, "Efficient quadratic regularization for expression
// arrays"). Certificates are taken in feature space. (M12)
#include "paths/row_kernel.hpp"

namespace normball {
namespace {

class RowSpace {
 public:
  RowSpace(const Design& design, Vector kernel, const Specification& spec, const Problem& problem, const Loss& loss,
           Threads& threads)
      : design_(design),
        spec_(spec),
        problem_(problem),
        loss_(loss),
        threads_(threads),
        basis_(weighted(std::move(kernel)), spec.n_rows) {
    if (!loss_.is_quadratic) basis_.stretch();
  }

  const RowBasis& basis() const { return basis_; }

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
      for (Index l = 0; l < count; ++l) basis_.unfold(points[begin + l], n, eta.data() + l * n, dual.data() + l * n);
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

  // under squared error the weights go into the kernel, and its eigenvectors are the whole solution
  Vector weighted(Vector kernel) const {
    const Index n = spec_.n_rows;
    for (Index b = 0; b < n && loss_.is_quadratic; ++b) {
      for (Index a = 0; a <= b; ++a) kernel[b * n + a] *= root_weight(a) * root_weight(b);
    }
    return kernel;
  }

  // Squared error: eta = U diag(e / (e + lambda)) U'y and dual = U diag(1 / (e + lambda)) U'y, all lambdas in one
  // product
  void close(Point* points, const double* lambdas, Index count, double* dual, double* eta) const {
    const Index n = spec_.n_rows;
    double mean = 0.0;
    for (Index i = 0; i < n; ++i) mean += problem_.weights[i] * problem_.y[i];
    if (!spec_.fit_intercept) mean = 0.0;
    Vector target(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; ++i) target[i] = root_weight(i) * (problem_.y[i] - mean);
    Vector rotated(basis_.values.size());
    linalg::gemv(true, n, basis_.rank(), basis_.columns.data(), n, target.data(), rotated.data());
    Vector inner(static_cast<std::size_t>(basis_.rank() * count));
    Vector fitted(inner.size());
    for (Index l = 0; l < count; ++l) {
      points[l].intercept = mean;
      points[l].n_iter = 1;
      points[l].status = Status::converged;
      for (Index r = 0; r < basis_.rank(); ++r) {
        const double sum = basis_.values[r] + lambdas[l];
        inner[l * basis_.rank() + r] = sum > 0.0 ? rotated[r] / sum : 0.0;
        fitted[l * basis_.rank() + r] = basis_.values[r] * inner[l * basis_.rank() + r];
      }
    }
    linalg::multiply(n, count, basis_.rank(), basis_.columns.data(), inner.data(), dual);
    linalg::multiply(n, count, basis_.rank(), basis_.columns.data(), fitted.data(), eta);
    for (Index l = 0; l < count; ++l) {
      for (Index i = 0; i < n; ++i) {
        const double root = root_weight(i);
        dual[l * n + i] *= root;
        eta[l * n + i] = root > 0.0 ? eta[l * n + i] / root : 0.0;
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
  RowBasis basis_;  // U for squared error, else Z
};

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
      const PerProblem responses{.data = problems[k].y};
      const PerProblem offsets{.data = problems[k].offset};
      if (!solve_on_basis(space.basis(), spec, responses, offsets, k, 0.1 * spec.tol, result, call.threads, call.poll))
        break;
    }
    for (Index begin = 0; begin < n_lambdas && !result.interrupted; begin += at_once) {
      const Index end = std::min(n_lambdas, begin + at_once);
      space.expand(result.points.data() + k * n_lambdas, result.lambdas, begin, end, centre.data());
      result.n_sweeps += 1.0;
      const Index done = spec.family->is_quadratic ? end : n_lambdas;  // the others were counted in the basis
      monitor.progress(k * n_lambdas + done, spec.n_problems * n_lambdas);
      result.interrupted = monitor.stopped();
      // what is not expanded is of the basis
      if (result.interrupted) std::fill_n(result.points.data() + k * n_lambdas + end, n_lambdas - end, Point{});
    }
  }
  return result;
}

}  // namespace

constexpr PathSolver by_row_space = {.can = [](const Call& /*call*/) { return true; },
                                     .pays = [](const Call& call) { return row_space_pays(call.spec); },
                                     .run = run};

}  // namespace normball
