#include "python/arrays.hpp"

#include "design/csc.hpp"
#include "design/dense.hpp"

namespace normball {
namespace {

template <class T, class Order>
std::unique_ptr<Design> as_dense(nb::handle X, bool is_row_major) {
  Array<T, nb::ndim<2>, Order> array;
  if (!nb::try_cast(X, array, false)) return nullptr;
  return dense_design(array.data(), static_cast<Index>(array.shape(0)), static_cast<Index>(array.shape(1)),
                      is_row_major);
}

template <class T>
std::unique_ptr<Design> as_csc(const nb::tuple& parts) {
  Flat<T> data;
  if (!nb::try_cast(parts[0], data, false)) return nullptr;
  const auto indices = nb::cast<Flat<std::int32_t>>(parts[1], false);
  const auto indptr = nb::cast<Flat<std::int64_t>>(parts[2], false);
  return csc_design(data.data(), indices.data(), indptr.data(), nb::cast<Index>(parts[3]),
                    static_cast<Index>(indptr.size()) - 1);
}

}  // namespace

std::unique_ptr<Design> as_design(nb::handle X) {
  std::unique_ptr<Design> design;
  if (nb::isinstance<nb::tuple>(X)) {
    const auto parts = nb::borrow<nb::tuple>(X);
    if (parts.size() == 4) design = as_csc<double>(parts);
    if (parts.size() == 4 && design == nullptr) design = as_csc<float>(parts);
  } else {
    design = as_dense<double, nb::f_contig>(X, false);
    if (design == nullptr) design = as_dense<double, nb::c_contig>(X, true);
    if (design == nullptr) design = as_dense<float, nb::f_contig>(X, false);
    if (design == nullptr) design = as_dense<float, nb::c_contig>(X, true);
  }
  if (design != nullptr) return design;
  throw nb::type_error("X must be a contiguous float32 or float64 matrix or (data, indices, indptr, n_rows)");
}

Monitor::Poll polling(const nb::object& poll) {
  return [&poll](Index done, Index total) {
    const nb::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) {
      if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) == 0) throw nb::python_error();
      PyErr_Clear();  // the caller sees `interrupted` and raises its own, with what was finished
      return true;
    }
    return !poll.is_none() && nb::cast<bool>(poll(done, total));
  };
}

nb::dict as_dict(PathResult&& result, const Specification& spec) {
  const std::size_t n_points = result.points.size();
  const auto k = static_cast<std::size_t>(spec.n_problems);
  const auto n_outputs = static_cast<std::size_t>(spec.n_outputs);
  const std::size_t l = n_points / (k * n_outputs);
  Vector intercepts, loss, whole_loss, gaps, violations, values;
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices, iterations;
  std::vector<std::int8_t> statuses;
  std::size_t n_nonzero = 0;
  for (const Point& point : result.points) n_nonzero += point.features.size();
  indices.reserve(n_nonzero);
  values.reserve(n_nonzero);
  for (const Point& point : result.points) {
    intercepts.push_back(point.intercept);
    indices.insert(indices.end(), point.features.begin(), point.features.end());
    values.insert(values.end(), point.values.begin(), point.values.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
    if (intercepts.size() % n_outputs != 0) continue;  // the rest is the same for all outputs
    loss.push_back(point.loss);
    whole_loss.push_back(point.whole_loss);
    gaps.push_back(point.dual_gap);
    violations.push_back(point.kkt_violation);
    iterations.push_back(point.n_iter);
    statuses.push_back(static_cast<std::int8_t>(point.status));
  }
  const std::size_t n_values = values.size();
  nb::dict out;
  out["lambdas"] = owned(std::move(result.lambdas), {l});
  out["intercepts"] =
      n_outputs == 1 ? owned(std::move(intercepts), {k, l}) : owned(std::move(intercepts), {k, l, n_outputs});
  out["loss"] = owned(std::move(loss), {k, l});
  out["whole_loss"] = owned(std::move(whole_loss), {k, l});
  out["dual_gaps"] = owned(std::move(gaps), {k, l});
  out["kkt_violations"] = owned(std::move(violations), {k, l});
  out["n_iters"] = owned(std::move(iterations), {k, l});
  out["statuses"] = owned(std::move(statuses), {k, l});
  out["indptr"] = owned(std::move(indptr), {n_points + 1});
  out["indices"] = owned(std::move(indices), {n_values});
  out["values"] = owned(std::move(values), {n_values});
  result.null_intercepts.resize(k * n_outputs, std::numeric_limits<double>::quiet_NaN());
  out["null_intercepts"] = n_outputs == 1 ? owned(std::move(result.null_intercepts), {k})
                                          : owned(std::move(result.null_intercepts), {k, n_outputs});
  out["null_loss"] = owned(std::move(result.null_loss), {k});
  std::vector<std::int8_t> null_fits;
  null_fits.reserve(k);
  for (const NullFit fit : result.null_fits) null_fits.push_back(static_cast<std::int8_t>(fit));
  out["null_fits"] = owned(std::move(null_fits), {k});
  out["lambda_max"] = owned(std::move(result.lambda_max), {k});
  out["scales"] = owned(std::move(result.scales), {k, static_cast<std::size_t>(spec.n_features)});
  out["n_sweeps"] = result.n_sweeps;
  out["interrupted"] = result.interrupted;
  return out;
}

const Family& family_named(const std::string& name) {
  const Family* family = Family::find(name);
  if (family == nullptr) throw nb::value_error(("unknown family: " + name).c_str());
  return *family;
}

PerProblem per_problem(const Specification& spec, const Table& table, Index width) {
  const bool is_shared = table.shape(0) == 1;
  if (!std::cmp_equal(table.shape(1), width) || (!is_shared && !std::cmp_equal(table.shape(0), spec.n_problems))) {
    throw nb::value_error("the shapes of X, responses, weights, offsets, penalty_factors and bounds do not agree");
  }
  return {.data = table.data(), .stride = is_shared ? 0 : width};
}

void ask(Specification& spec, const Question& question) {
  spec.family = &family_named(question.family);
  spec.family_parameter = question.parameter;
  spec.penalty_factors = per_problem(spec, question.penalty_factors, spec.n_features);
  spec.lower_bounds = per_problem(spec, question.lower_bounds, spec.n_features);
  spec.upper_bounds = per_problem(spec, question.upper_bounds, spec.n_features);
  spec.l1_ratio = question.l1_ratio;
  if (question.lambdas) {
    spec.lambdas.assign(question.lambdas->data(), question.lambdas->data() + question.lambdas->size());
  }
  spec.n_lambdas = question.n_lambdas;
  spec.lambda_min_ratio = question.lambda_min_ratio;
  spec.fit_intercept = question.fit_intercept;
  spec.standardize = question.standardize;
  spec.tol = question.tol;
  spec.max_iter = question.max_iter;
  spec.n_outputs = question.n_outputs;
  spec.is_grouped = question.grouped;
  if (!question.groups || !question.group_weights) return;
  const auto& [groups, weights] = std::tie(*question.groups, *question.group_weights);
  spec.groups = {.of_feature = {groups.data(), groups.data() + groups.size()},
                 .weights = {weights.data(), weights.data() + weights.size()},
                 .ratio = question.group_ratio,
                 .is_orthonormal = question.orthonormalize};
}

}  // namespace normball
