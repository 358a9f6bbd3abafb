// Python to C++ and back: arrays.hpp checks layouts and returns owned arrays; the GIL is released here.
// Everything else about the input was checked in src/normball/inputs/.
#include "design/predictor.hpp"
#include "kernels/pairs.hpp"
#include "kernels/weight_kernels.hpp"
#include "paths/path.hpp"
#include "paths/windows/rough_gram.hpp"
#include "python/arrays.hpp"
#include "python/row_blocks.hpp"
#include "python/scipy_blas.hpp"
#include "python/test_hooks.hpp"
#include "screening/byte_copy.hpp"
#include "screening/float_sweep.hpp"
#include "screening/residual_basis.hpp"

using namespace nb::literals;

namespace normball {
namespace {

nb::dict solve(nb::object X, Table responses, Table weights, Table offsets, const std::string& family, double parameter,
               double l1_ratio, std::optional<Flat<double>> lambdas, Index n_lambdas, double lambda_min_ratio,
               Table penalty_factors, Table lower_bounds, Table upper_bounds, bool fit_intercept, bool standardize,
               double tol, int max_iter, int n_threads, nb::object poll, Index n_outputs, bool grouped,
               std::optional<Flat<std::int32_t>> groups, std::optional<Flat<double>> group_weights, double group_ratio,
               bool orthonormalize) {
  load_blas();
  const std::unique_ptr<Design> design = as_design(X);
  Specification spec;
  spec.n_problems = static_cast<Index>(weights.shape(0));
  spec.n_rows = design->n_rows;
  spec.n_features = design->n_cols;
  ask(spec, {.family = family,
             .parameter = parameter,
             .l1_ratio = l1_ratio,
             .lambdas = std::move(lambdas),
             .n_lambdas = n_lambdas,
             .lambda_min_ratio = lambda_min_ratio,
             .penalty_factors = penalty_factors,
             .lower_bounds = lower_bounds,
             .upper_bounds = upper_bounds,
             .fit_intercept = fit_intercept,
             .standardize = standardize,
             .tol = tol,
             .max_iter = max_iter,
             .n_outputs = n_outputs,
             .grouped = grouped,
             .groups = std::move(groups),
             .group_weights = std::move(group_weights),
             .group_ratio = group_ratio,
             .orthonormalize = orthonormalize});
  spec.weights = per_problem(spec, weights, spec.n_rows).data;
  spec.responses = per_problem(spec, responses, spec.n_rows * spec.target_width());
  spec.offsets = per_problem(spec, offsets, spec.n_rows * n_outputs);
  PathResult result;
  {
    const nb::gil_scoped_release no_gil;
    result = solve_path(*design, spec, n_threads, polling(poll));
  }
  return as_dict(std::move(result), spec);
}

nb::object predict_rows(nb::object X, std::optional<Flat<std::int64_t>> rows, Flat<double> intercepts,
                        Flat<std::int64_t> indptr, Flat<std::int32_t> indices, Flat<double> values, int n_threads) {
  load_blas();
  const std::unique_ptr<Design> design = as_design(X);
  const SparseCoefficients coefs{.intercepts = intercepts.data(),
                                 .indptr = indptr.data(),
                                 .indices = indices.data(),
                                 .values = values.data(),
                                 .n_points = static_cast<Index>(intercepts.size())};
  const Index n_chosen = rows ? static_cast<Index>(rows->size()) : design->n_rows;
  Vector eta;
  {
    const nb::gil_scoped_release no_gil;
    eta = predict(*design, rows ? rows->data() : nullptr, n_chosen, coefs, n_threads);
  }
  return owned(std::move(eta), {static_cast<std::size_t>(n_chosen), intercepts.size()});
}

// the mean loss at each row of eta, of a family of one output; the weights have the sum 1
nb::object mean_losses(const std::string& family, double parameter, const Flat<double>& y, const Flat<double>& weights,
                       const Table& eta, int n_threads) {
  const Family& known = family_named(family);
  const auto n = static_cast<Index>(weights.size());
  const std::unique_ptr<const Loss> loss = known.loss(parameter, y.data(), weights.data(), n);
  Vector out(eta.shape(0));
  {
    const nb::gil_scoped_release no_gil;
    Threads threads(n_threads);
    const double constant = loss->constant();
    threads.parallel_for(std::ssize(out),
                         [&](Index l) { out[l] = loss->evaluate(eta.data() + l * n).loss + constant; });
  }
  return owned(std::move(out), {eta.shape(0)});
}

// (m, n_times): of a family of survival, the logarithms of the cumulative baseline hazards at each row of eta
nb::object log_hazards(const std::string& family, const Flat<double>& y, const Flat<double>& weights,
                       const Table& eta) {
  const auto n = static_cast<Index>(weights.size());
  const std::unique_ptr<const Loss> loss =
      family_named(family).loss(std::numeric_limits<double>::quiet_NaN(), y.data(), weights.data(), n);
  Vector out;
  {
    const nb::gil_scoped_release no_gil;
    for (std::size_t l = 0; l < eta.shape(0); ++l) {
      const Vector own = loss->log_hazards(eta.data() + static_cast<Index>(l) * n);
      out.insert(out.end(), own.begin(), own.end());
    }
  }
  const std::size_t n_times = out.size() / std::max<std::size_t>(eta.shape(0), 1);
  return owned(std::move(out), {eta.shape(0), n_times});
}

// (3, width): the pairs of moments, a row of `present` and `worth` each, at lower, higher and the same places
nb::object pair_sums(const Flat<std::int64_t>& group, const Flat<std::int64_t>& place, Index n_places,
                     const Table& present, const Table& worth) {
  const kernels::Moments moments{.count = static_cast<Index>(group.size()),
                                 .width = static_cast<Index>(present.shape(1)),
                                 .group = group.data(),
                                 .place = place.data(),
                                 .n_places = n_places,
                                 .present = present.data(),
                                 .worth = worth.data()};
  Vector sums(static_cast<std::size_t>(3 * moments.width), 0.0);
  {
    const nb::gil_scoped_release no_gil;
    kernels::add_pairs(moments, sums.data());
  }
  return owned(std::move(sums), {3, present.shape(1)});
}

// f, f' and f'' of rows, as the engine computes them, for the tests that compare them with others' formulas.
nb::dict loss_rows(const std::string& family, double parameter, const Flat<double>& y, const Flat<double>& eta) {
  const Family& known = family_named(family);
  const std::size_t n = y.size();
  const Vector ones(n, 1.0);
  Vector value(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::unique_ptr<const Loss> row = known.loss(parameter, y.data() + i, ones.data(), 1);
    value[i] = row->evaluate(eta.data() + i).loss + row->constant();
  }
  Vector residual(n);
  Vector curvature(n);
  known.loss(parameter, y.data(), ones.data(), static_cast<Index>(n))
      ->evaluate(eta.data(), {.residual = residual.data(), .curvature = curvature.data()});
  nb::dict out;
  out["value"] = owned(std::move(value), {n});
  out["residual"] = owned(std::move(residual), {n});
  out["curvature"] = owned(std::move(curvature), {n});
  return out;
}

// What f*(u) exceeds its tangent at f'(y, eta) by at most, row by row (M8b); infinity where it may not be used.
nb::object loss_dual(const std::string& family, double parameter, const Flat<double>& y, const Flat<double>& eta,
                     const Flat<double>& u) {
  const Family& known = family_named(family);
  const double one = 1.0;
  Vector bound(y.size());
  for (std::size_t i = 0; i < bound.size(); ++i) {
    double dual = u.data()[i];
    const DualSums sums = known.loss(parameter, y.data() + i, &one, 1)->dual(eta.data() + i, &dual);
    bound[i] = sums.n_clipped > 0.0 ? infinity : sums.dual_pearson;
  }
  const std::size_t n = bound.size();
  return owned(std::move(bound), {n});
}

template <class Screen, class Matrix>
nb::object screened(const Matrix& design, const Flat<double>& centre,
                    const Array<double, nb::ndim<2>, nb::f_contig>& vectors) {
  Threads threads(1);
  const Screen screen(design, threads);
  std::vector<const double*> list(vectors.shape(1));
  for (std::size_t k = 0; k < list.size(); ++k) list[k] = vectors.data() + k * vectors.shape(0);
  Vector values(list.size() * centre.size());
  Vector slacks(values.size());
  const auto taken = screen.take(list, threads);
  const auto times = [](double share, const double* known, Index j) {
    return known == nullptr ? 0.0 : share * known[j];
  };
  screen.multiply(taken, 0, design.n_cols, [&](Index k, const double* products) {
    std::copy_n(products, design.n_cols, values.begin() + k * design.n_cols);
    const Slack slack = Screen::slack(taken, k);
    for (Index j = 0; j < design.n_cols; ++j) {
      const double off = times(slack.missed, screen.missed(), j) + times(slack.held, screen.held(), j);
      slacks[k * design.n_cols + j] = std::isnan(off) ? infinity : off;  // nothing is cleared by either
    }
  });
  return nb::make_tuple(owned(std::move(values), {list.size(), centre.size()}),
                        owned(std::move(slacks), {list.size(), centre.size()}));
}

// What the screen of a design says of the products of all columns with some vectors, for the tests of its bound.
nb::object screened_products(nb::object X, const Flat<double>& centre,
                             const Array<double, nb::ndim<2>, nb::f_contig>& vectors) {
  const std::unique_ptr<Design> design = as_design(X);
  design->centre = centre.data();
  if (const auto* sparse = dynamic_cast<const SparseDesign*>(design.get())) {
    return screened<FloatSweep>(*sparse, centre, vectors);
  }
  return screened<ByteCopy>(dynamic_cast<const DenseDesign&>(*design), centre, vectors);
}

// The basis of some residuals, with shares and remainders of all, for the tests of their bound.
nb::object residual_basis(const Array<double, nb::ndim<2>, nb::c_contig>& residuals, const Flat<double>& weights,
                          const Flat<double>& tolerances, const Flat<std::uint8_t>& kept) {
  std::vector<const double*> list(residuals.shape(0));
  for (std::size_t v = 0; v < list.size(); ++v) list[v] = residuals.data() + v * residuals.shape(1);
  const ResidualBasis found(list, {weights.data(), weights.data() + weights.size()},
                            {tolerances.data(), tolerances.data() + tolerances.size()},
                            {kept.data(), kept.data() + kept.size()});
  Vector shares;
  Vector remainders;
  for (Index v = 0; v < std::ssize(list); ++v) {
    const ResidualBasis::Combination& combination = found.combination(v);
    shares.insert(shares.end(), combination.shares.begin(), combination.shares.end());
    remainders.push_back(combination.remainder);
  }
  std::vector<std::int64_t> places(found.list().begin(), found.list().end());
  const std::size_t count = places.size();
  return nb::make_tuple(owned(std::move(places), {count}), owned(std::move(shares), {list.size(), count}),
                        owned(std::move(remainders), {list.size()}));
}

// X'DX in few digits (upper triangle), for the tests of its error; None where this CPU does not multiply bytes.
nb::object rough_gram(const Array<double, nb::ndim<2>, nb::f_contig>& X, const Flat<double>& d, bool in_bytes,
                      Index seed) {
  if (in_bytes && !kernels::multiplies_bytes()) return nb::none();
  constexpr Index block = RoughGram::block;
  const auto n = static_cast<Index>(X.shape(0));
  const std::size_t p = X.shape(1);
  const auto width = static_cast<Index>(p);
  RoughGram rough(width, in_bytes);
  std::vector<float> sums = rough.empty_sums();
  Vector rows(block * p);
  Vector root(block);
  const Vector inverse_scales(p, 1.0);
  std::vector<Index> names(p);
  std::iota(names.begin(), names.end(), seed);
  for (Index first = 0; first < n; first += block) {
    const Index count = std::min(block, n - first);
    for (Index r = 0; r < count; ++r) root[r] = std::sqrt(d.data()[first + r]);
    for (Index a = 0; a < width; ++a) std::copy_n(X.data() + a * n + first, count, rows.data() + a * block);
    rough.add(rows.data(), names.data(), inverse_scales.data(), root.data(), first, count, sums);
  }
  Vector gram(p * p);
  for (Index b = 0; b < width; ++b) {
    for (Index a = 0; a <= b; ++a) gram[a * width + b] = sums[b * RoughGram::stride(width) + a];
  }
  return nb::cast(owned(std::move(gram), {p, p}));
}

template <class T>
void shrink_weights(const nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>& weights,
                    const std::optional<Flat<T>>& second, double step, double root, double eps, double unseen,
                    double l1, double l2, int n_threads) {
  const auto n = static_cast<Index>(weights.size());
  const nb::gil_scoped_release released;
  Threads threads(n_threads);
  kernels::shrink(weights.data(), n,
                  {.second = second ? second->data() : nullptr,
                   .step = static_cast<T>(step),
                   .root = static_cast<T>(root),
                   .eps = static_cast<T>(eps),
                   .unseen = static_cast<T>(unseen),
                   .l1 = static_cast<T>(l1),
                   .l2 = static_cast<T>(l2)},
                  threads);
}

template <class T>
void define_shrink_weights(nb::module_& m) {
  m.def("shrink_weights", &shrink_weights<T>, "weights"_a.noconvert(), "second"_a.none().noconvert(), "step"_a,
        "root"_a, "eps"_a, "unseen"_a, "l1"_a, "l2"_a, "n_threads"_a);
}

}  // namespace
}  // namespace normball

NB_MODULE(_native, m) {
  m.def("solve_path", &normball::solve, nb::kw_only(), "X"_a, "responses"_a.noconvert(), "weights"_a.noconvert(),
        "offsets"_a.noconvert(), "family"_a, "parameter"_a = std::numeric_limits<double>::quiet_NaN(), "l1_ratio"_a,
        "lambdas"_a.none().noconvert(), "n_lambdas"_a, "lambda_min_ratio"_a, "penalty_factors"_a.noconvert(),
        "lower_bounds"_a.noconvert(), "upper_bounds"_a.noconvert(), "fit_intercept"_a, "standardize"_a, "tol"_a,
        "max_iter"_a, "n_threads"_a, "poll"_a.none(), "n_outputs"_a = 1, "grouped"_a = false,
        "groups"_a.none().noconvert() = nb::none(), "group_weights"_a.none().noconvert() = nb::none(),
        "group_ratio"_a = 1.0, "orthonormalize"_a = false);
  m.def("mean_losses", &normball::mean_losses, "family"_a, "parameter"_a, "y"_a.noconvert(), "weights"_a.noconvert(),
        "eta"_a.noconvert(), "n_threads"_a = 1);
  m.def("log_hazards", &normball::log_hazards, "family"_a, "y"_a.noconvert(), "weights"_a.noconvert(),
        "eta"_a.noconvert());
  m.def("pair_sums", &normball::pair_sums, "group"_a.noconvert(), "place"_a.noconvert(), "n_places"_a,
        "present"_a.noconvert(), "worth"_a.noconvert());
  m.def("loss_rows", &normball::loss_rows, "family"_a, "parameter"_a, "y"_a.noconvert(), "eta"_a.noconvert());
  m.def("loss_dual", &normball::loss_dual, "family"_a, "parameter"_a, "y"_a.noconvert(), "eta"_a.noconvert(),
        "u"_a.noconvert());
  m.def("screened_products", &normball::screened_products, "X"_a, "centre"_a.noconvert(), "vectors"_a.noconvert());
  m.def("residual_basis", &normball::residual_basis, "residuals"_a.noconvert(), "weights"_a.noconvert(),
        "tolerances"_a.noconvert(), "kept"_a.noconvert());
  m.def("rough_gram", &normball::rough_gram, "X"_a.noconvert(), "d"_a.noconvert(), "in_bytes"_a, "seed"_a);
  m.def("linear_predictor", &normball::predict_rows, "X"_a, "rows"_a.none().noconvert(), "intercepts"_a.noconvert(),
        "indptr"_a.noconvert(), "indices"_a.noconvert(), "values"_a.noconvert(), "n_threads"_a = 1);
  normball::define_row_blocks(m);
  normball::define_test_hooks(m);
  normball::define_shrink_weights<float>(m);
  normball::define_shrink_weights<double>(m);
}
