// What is asked, and what is answered.
#pragma once

#include "losses/family.hpp"
#include "penalties/feature_groups.hpp"
#include "penalties/penalty.hpp"

namespace normball {

// An array for each problem, or one that all of them share.
struct PerProblem {
  const double* data = nullptr;
  Index stride = 0;  // from one problem's to the next

  bool is_shared() const { return stride == 0; }
  const double* of(Index k) const { return data + k * stride; }
};

// The one question that the core answers: docs/mathematics.md (M1), for K problems over one design.
struct Specification {
  Index n_problems = 1;
  Index n_rows = 0;
  Index n_features = 0;
  Index n_outputs = 1;   // columns of eta
  PerProblem responses;  // n_rows x target_width(), row-major
  // of each problem, where responses were centred (they are column-major then): what was taken from them and intercepts
  // get back, and the loss that rounding alone gives them
  const double* origins = nullptr;
  const double* negligible_loss = nullptr;
  const double* weights = nullptr;  // n_problems x n_rows
  PerProblem offsets;               // n_rows x n_outputs, row-major
  PerProblem penalty_factors;       // n_features
  PerProblem lower_bounds;          // in the units of the data, like the coefficients
  PerProblem upper_bounds;
  double l1_ratio = 1.0;
  bool is_grouped = false;  // a feature's coefficients of all outputs are one block of the penalty
  FeatureGroups groups;
  const Family* family = nullptr;
  double family_parameter = std::numeric_limits<double>::quiet_NaN();  // where the family has one
  Vector lambdas;                                                      // descending; empty: a grid is made
  Index n_lambdas = 100;
  double lambda_min_ratio = 1e-4;
  bool fit_intercept = true;
  bool standardize = true;
  double tol = 1e-6;  // relative duality gap
  int max_iter = 1000;

  Penalty penalty_of(Index k) const {
    return {penalty_factors.of(k), lower_bounds.of(k), upper_bounds.of(k), l1_ratio};
  }
  // whether the penalty is a sum over single coefficients of one output
  bool is_separable() const { return n_outputs == 1 && groups.of_feature.empty(); }
  // numbers that a row's target is made of
  Index target_width() const { return family->loss == nullptr ? n_outputs : family->target_width; }
  // whether columns may be shifted: an intercept takes it up, or the loss does not mind
  bool may_centre() const { return fit_intercept || family->is_shift_invariant; }
  double origin(Index k, Index output = 0) const { return origins == nullptr ? 0.0 : origins[k * n_outputs + output]; }
};

enum class Status : std::int8_t { converged = 0, max_iter = 1, interrupted = 2, numerical = 3 };

// One solution of one problem at one lambda.
struct Point {
  double intercept = 0.0;  // units of the data
  std::vector<std::int32_t> features;
  Vector values;  // units of the data
  double loss = 0.0;
  double whole_loss = std::numeric_limits<double>::quiet_NaN();  // on the rows of the first problem, where known
  double dual_gap = infinity;                                    // relative to the loss of the null model
  double kkt_violation = infinity;
  Status status = Status::interrupted;
  int n_iter = 0;
};

// what the model without penalised features leaves to them
enum class NullFit : std::int8_t { leaves_something, leaves_nothing, has_no_optimum };

struct PathResult {
  Vector lambdas;
  std::vector<Point> points;       // problem by problem, lambda by lambda, output by output
  Vector null_loss;                // per problem
  std::vector<NullFit> null_fits;  // per problem
  Vector lambda_max;               // per problem
  Vector null_intercepts;          // per problem and output, of the model without features, where that is known
  Vector scales;                   // n_problems x n_features
  double n_sweeps = 0.0;           // reads of the whole matrix
  bool interrupted = false;
};

}  // namespace normball
