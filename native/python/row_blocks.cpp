#include "python/arrays.hpp"

#include "python/row_blocks.hpp"

#include <utility>

#include "paths/row_blocks/row_blocks.hpp"
#include "python/scipy_blas.hpp"

using namespace nb::literals;

namespace normball {
namespace {

using Folds = std::optional<Flat<std::int32_t>>;

// The arrays of a block, and the loss that looks at them.
class GivenRows {
 public:
  GivenRows(const nb::object& X, const Flat<double>& y, const Flat<double>& weights, const Flat<double>& offset,
            const Folds& fold, Index n_repeats, Index first_row, const std::string& family, double parameter,
            Index n_outputs, Index n_folds)
      : design_(as_design(X)) {
    rows_ = {.design = design_.get(),
             .n_rows = design_->n_rows,
             .first_row = first_row,
             .n_outputs = n_outputs,
             .y = y.data(),
             .weights = weights.data(),
             .offset = offset.data(),
             .fold = fold ? fold->data() : nullptr,
             .family = &family_named(family),
             .parameter = parameter};
    if (design_->is_sparse()) throw nb::type_error("X of a block must be a dense matrix");
    const auto fits = [&](const auto& array, Index width) {
      return std::cmp_equal(array.size(), rows_.n_rows * width);
    };
    if (!fits(y, n_outputs) || !fits(weights, 1) || !fits(offset, n_outputs) || (fold && !fits(*fold, n_repeats))) {
      throw nb::value_error("the arrays of a block have different numbers of rows");
    }
    if (n_repeats < 1 || n_folds % n_repeats != 0) throw nb::value_error("each repeat has the same number of folds");
    for (Index i = 0; rows_.fold != nullptr && i < n_repeats * rows_.n_rows; ++i) {
      if (rows_.fold[i] < -1 || rows_.fold[i] >= n_folds) throw nb::value_error("a fold has no number below n_folds");
    }
    if (!rows_.family->is_separable) throw nb::value_error("this family is no sum over blocks of rows");
  }

  Design& design() { return *design_; }
  const BlockRows& operator*() const { return rows_; }

 private:
  std::unique_ptr<Design> design_;
  BlockRows rows_;
};

nb::object block_moments(const nb::object& X, const Flat<double>& y, const Flat<double>& weights,
                         const Flat<double>& offset, const Folds& fold, Index n_repeats, Index first_row,
                         const std::string& family, double parameter, Index n_outputs, Index n_folds, bool has_gram) {
  load_blas();
  GivenRows rows(X, y, weights, offset, fold, n_repeats, first_row, family, parameter, n_outputs, n_folds);
  const MomentShape shape{.p = rows.design().n_cols, .n_targets = n_outputs, .has_gram = has_gram};
  Vector values(static_cast<std::size_t>((n_folds + 1) * shape.size()));
  const MomentsOfFolds out{.values = values, .shape = shape};
  {
    const nb::gil_scoped_release no_gil;
    out.clear();
    add_moments(*rows, {.n_folds = n_folds, .n_repeats = n_repeats}, out);
  }
  return owned(std::move(values));
}

nb::object joined_moments(const Flat<double>& first, const Flat<double>& second, Index n_features, Index n_outputs,
                          bool has_gram) {
  if (first.size() != second.size()) throw nb::value_error("moments of different sizes cannot be joined");
  Vector values(first.data(), first.data() + first.size());
  Vector other(second.data(), second.data() + second.size());
  const MomentShape shape{.p = n_features, .n_targets = n_outputs, .has_gram = has_gram};
  const MomentsOfFolds joined{.values = values, .shape = shape};
  joined.join({.values = other, .shape = shape});
  return owned(std::move(values));
}

// What the moments say of the rows of each fold, beside the columns': of targets a number for each, where there are
// several.
nb::dict moment_facts(const Flat<double>& moments, Index n_features, Index n_outputs, bool has_gram) {
  Vector values(moments.data(), moments.data() + moments.size());
  const MomentShape shape{.p = n_features, .n_targets = n_outputs, .has_gram = has_gram};
  const MomentsOfFolds all{.values = values, .shape = shape};
  constexpr std::array of_rows = {"n_rows", "n_weighted", "weight", "constant"};
  constexpr std::array of_targets = {"target_mean", "target_squares", "smallest",
                                     "largest",     "least_offset",   "largest_offset"};
  static_assert(of_rows.size() == MomentShape::of_rows && of_targets.size() == MomentShape::of_a_target);
  const auto n_folds = static_cast<std::size_t>(all.count());
  const auto table = [&](Index first, Index width) {
    Vector found;
    for (Index f = 0; f < all.count(); ++f) found.insert(found.end(), all[f].at + first, all[f].at + first + width);
    return found;
  };
  nb::dict out;
  for (std::size_t i = 0; i < of_rows.size(); ++i) out[of_rows[i]] = owned(table(static_cast<Index>(i), 1));
  for (std::size_t i = 0; i < of_targets.size(); ++i) {
    Vector found = table(MomentShape::of_rows + static_cast<Index>(i) * n_outputs, n_outputs);
    out[of_targets[i]] = n_outputs == 1 ? owned(std::move(found))
                                        : owned(std::move(found), {n_folds, static_cast<std::size_t>(n_outputs)});
  }
  Vector squares;
  for (Index f = 0; f < all.count(); ++f) {
    for (Index j = 0; j < n_features; ++j) squares.push_back(all[f].square(j));
  }
  const std::initializer_list<std::size_t> shape_of_columns{n_folds, static_cast<std::size_t>(n_features)};
  out["means"] = owned(table(shape.n_facts(), n_features), shape_of_columns);
  out["squares"] = owned(std::move(squares), shape_of_columns);
  return out;
}

Vector as_vector(const Flat<double>& array) { return {array.data(), array.data() + array.size()}; }

nb::object block_null_sums(const nb::object& X, const Flat<double>& y, const Flat<double>& weights,
                           const Flat<double>& offset, const Folds& fold, Index n_repeats, Index first_row,
                           const std::string& family, double parameter, Index n_outputs, bool in_time,
                           const Flat<double>& totals, const Flat<double>& intercepts) {
  const GivenRows rows(X, y, weights, offset, fold, n_repeats, first_row, family, parameter, n_outputs,
                       static_cast<Index>(totals.size()) - 1);
  const FoldProblems problems{
      .totals = as_vector(totals),
      .least_curvature = {},
      .folds = {.n_folds = static_cast<Index>(totals.size()) - 1, .n_repeats = n_repeats, .in_time = in_time}};
  if (intercepts.size() != totals.size() * static_cast<std::size_t>(n_outputs)) {
    throw nb::value_error("each problem has an intercept, or one of each output");
  }
  Vector sums;
  {
    const nb::gil_scoped_release no_gil;
    sums = n_outputs == 1 ? null_sums(*rows, problems, intercepts.data())
                          : output_sums(*rows, problems, null_candidates(as_vector(intercepts), n_outputs));
  }
  return owned(std::move(sums));
}

template <class T, class From>
std::vector<T> as_list(const Flat<From>& array) {
  std::vector<T> list;
  list.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) list.push_back(static_cast<T>(array.data()[i]));
  return list;
}

nb::object block_candidate_sums(const nb::object& X, const Flat<double>& y, const Flat<double>& weights,
                                const Flat<double>& offset, const Folds& fold, Index n_repeats, Index first_row,
                                const std::string& family, double parameter, Index n_outputs, bool in_time,
                                const Flat<double>& totals, const Flat<double>& least_curvature,
                                const Flat<double>& centre, const Flat<std::int64_t>& order,
                                const Flat<std::int64_t>& problem, const Flat<double>& constant,
                                const Flat<double>& coefs, const Flat<double>& inverse_units,
                                const Flat<std::int8_t>& digits) {
  load_blas();
  GivenRows rows(X, y, weights, offset, fold, n_repeats, first_row, family, parameter, n_outputs,
                 static_cast<Index>(totals.size()) - 1);
  const auto p = static_cast<std::size_t>(rows.design().n_cols);
  const bool agree = centre.size() == p && order.size() == p && inverse_units.size() == p && problem.size() > 0 &&
                     constant.size() == problem.size() * static_cast<std::size_t>(n_outputs) &&
                     digits.size() == problem.size();
  if (!agree) throw nb::value_error("the candidates are not those of these columns");
  Candidates candidates;
  candidates.n_features = rows.design().n_cols;
  candidates.order = as_list<Index>(order);
  candidates.n_outputs = n_outputs;
  candidates.n_used = static_cast<Index>(coefs.size() / constant.size());
  candidates.problem = as_list<Index>(problem);
  candidates.constant = as_vector(constant);
  candidates.coefs = as_vector(coefs);
  candidates.inverse_units = as_vector(inverse_units);
  candidates.digits = as_list<Digits>(digits);
  candidates.find_curved();
  rows.design().centre = centre.data();
  const FoldProblems problems{
      .totals = as_vector(totals),
      .least_curvature = as_vector(least_curvature),
      .folds = {.n_folds = static_cast<Index>(totals.size()) - 1, .n_repeats = n_repeats, .in_time = in_time}};
  Vector sums;
  {
    const nb::gil_scoped_release no_gil;
    sums = n_outputs == 1 ? candidate_sums(*rows, problems, candidates) : output_sums(*rows, problems, candidates);
  }
  return owned(std::move(sums));
}

template <class T>
nb::object copied(const std::vector<T>& values) {
  return owned(std::vector<T>(values));
}

// A pass through Python: reduce(verb, request) gives the sum of `verb` over all blocks, or None where it was stopped.
std::optional<Vector> reduced(const nb::object& reduce, const char* verb, const nb::dict& request) {
  const nb::object sums = reduce(verb, request);
  if (sums.is_none()) return std::nullopt;
  return as_vector(nb::cast<Flat<double>>(sums, false));
}

BlockPasses passes_through(const nb::object& reduce) {
  const auto null_sums = [&reduce](const FoldProblems& problems, const Vector& intercepts) {
    const nb::gil_scoped_acquire gil;
    nb::dict request;
    request["in_time"] = problems.folds.in_time;
    request["totals"] = copied(problems.totals);
    request["intercepts"] = copied(intercepts);
    return reduced(reduce, "block_null_sums", request);
  };
  const auto candidate_sums = [&reduce](const FoldProblems& problems, const Vector& centre,
                                        const Candidates& candidates) {
    const nb::gil_scoped_acquire gil;
    nb::dict request;
    request["in_time"] = problems.folds.in_time;
    request["totals"] = copied(problems.totals);
    request["least_curvature"] = copied(problems.least_curvature);
    request["centre"] = copied(centre);
    request["order"] = owned(std::vector<std::int64_t>(candidates.order.begin(), candidates.order.end()));
    request["problem"] = owned(std::vector<std::int64_t>(candidates.problem.begin(), candidates.problem.end()));
    request["constant"] = copied(candidates.constant);
    request["coefs"] = copied(candidates.coefs);
    request["inverse_units"] = copied(candidates.inverse_units);
    std::vector<std::int8_t> digits;
    digits.reserve(candidates.digits.size());
    for (const Digits one : candidates.digits) digits.push_back(static_cast<std::int8_t>(one));
    request["digits"] = owned(std::move(digits));
    return reduced(reduce, "block_candidate_sums", request);
  };
  return {.null_sums = null_sums, .candidate_sums = candidate_sums};
}

nb::dict solve_blocks(const Flat<double>& moments, Index n_folds, Index n_repeats, bool in_time, nb::object reduce,
                      Index n_rows, const std::string& family, double parameter, double l1_ratio,
                      std::optional<Flat<double>> lambdas, Index n_lambdas, double lambda_min_ratio,
                      Table penalty_factors, Table lower_bounds, Table upper_bounds, bool fit_intercept,
                      bool standardize, double tol, int max_iter, int n_threads, nb::object poll, Index n_outputs,
                      bool grouped, std::optional<Flat<std::int32_t>> groups, std::optional<Flat<double>> group_weights,
                      double group_ratio, bool orthonormalize) {
  load_blas();
  Specification spec;
  spec.n_rows = n_rows;
  spec.n_features = static_cast<Index>(penalty_factors.shape(1));
  spec.n_problems = n_folds + 1;
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
  Vector values = as_vector(moments);
  const MomentShape shape{.p = spec.n_features, .n_targets = n_outputs, .has_gram = needs_gram(spec)};
  const MomentsOfFolds all{.values = values, .shape = shape};
  if (std::ssize(values) != spec.n_problems * shape.size()) {
    throw nb::value_error("the moments are not those of this question");
  }
  PathResult result;
  {
    const nb::gil_scoped_release no_gil;
    Threads threads(n_threads);
    const FoldPlan folds{.n_folds = n_folds, .n_repeats = n_repeats, .in_time = in_time};
    result = solve_row_blocks(spec, all, folds, passes_through(reduce), threads, polling(poll));
  }
  return as_dict(std::move(result), spec);
}

}  // namespace

#define NORMBALL_BLOCK                                                                      \
  nb::kw_only(), "X"_a, "y"_a.noconvert(), "weights"_a.noconvert(), "offset"_a.noconvert(), \
      "fold"_a.none().noconvert(), "n_repeats"_a, "first_row"_a, "family"_a, "parameter"_a, "n_outputs"_a

void define_row_blocks(nb::module_& m) {
  m.def("block_moments", &block_moments, NORMBALL_BLOCK, "n_folds"_a, "has_gram"_a);
  m.def("joined_moments", &joined_moments, "first"_a.noconvert(), "second"_a.noconvert(), "n_features"_a, "n_outputs"_a,
        "has_gram"_a);
  m.def("moment_facts", &moment_facts, "moments"_a.noconvert(), "n_features"_a, "n_outputs"_a, "has_gram"_a);
  m.def("block_null_sums", &block_null_sums, NORMBALL_BLOCK, "in_time"_a, "totals"_a.noconvert(),
        "intercepts"_a.noconvert());
  m.def("block_candidate_sums", &block_candidate_sums, NORMBALL_BLOCK, "in_time"_a, "totals"_a.noconvert(),
        "least_curvature"_a.noconvert(), "centre"_a.noconvert(), "order"_a.noconvert(), "problem"_a.noconvert(),
        "constant"_a.noconvert(), "coefs"_a.noconvert(), "inverse_units"_a.noconvert(), "digits"_a.noconvert());
  m.def("solve_row_blocks", &solve_blocks, nb::kw_only(), "moments"_a.noconvert(), "n_folds"_a, "n_repeats"_a,
        "in_time"_a, "reduce"_a.none(), "n_rows"_a, "family"_a, "parameter"_a, "l1_ratio"_a,
        "lambdas"_a.none().noconvert(), "n_lambdas"_a, "lambda_min_ratio"_a, "penalty_factors"_a.noconvert(),
        "lower_bounds"_a.noconvert(), "upper_bounds"_a.noconvert(), "fit_intercept"_a, "standardize"_a, "tol"_a,
        "max_iter"_a, "n_threads"_a, "poll"_a.none(), "n_outputs"_a, "grouped"_a,
        "groups"_a.none().noconvert() = nb::none(), "group_weights"_a.none().noconvert() = nb::none(),
        "group_ratio"_a = 1.0, "orthonormalize"_a = false);
}

#undef NORMBALL_BLOCK

}  // namespace normball
