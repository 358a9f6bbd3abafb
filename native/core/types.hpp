// The words that every room of the core shares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace normball {

using Index = std::ptrdiff_t;
using Vector = std::vector<double>;
using Buffer = std::unique_ptr<double[]>;  // written before it is read: what is never touched takes no memory

inline Buffer make_buffer(Index size) {
  return std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(size));
}

inline constexpr double infinity = std::numeric_limits<double>::infinity();

// The one question that the core answers: docs/mathematics.md (M1), for K problems over one design.
struct Specification {
  Index n_problems = 1;
  Index n_rows = 0;
  Index n_features = 0;
  const double* responses = nullptr;  // n_problems x n_rows, or one row shared by all
  bool shared_response = false;
  // of each problem, where responses were centred: what was taken from them and intercepts get back, and the loss that
  // rounding alone gives them
  const double* origins = nullptr;
  const double* negligible_loss = nullptr;
  const double* weights = nullptr;  // n_problems x n_rows
  const double* offset = nullptr;   // n_rows
  const double* penalty_factors = nullptr;
  const double* lower_bounds = nullptr;  // in the units of the data, like the coefficients
  const double* upper_bounds = nullptr;
  double l1_ratio = 1.0;
  double family_parameter = std::numeric_limits<double>::quiet_NaN();  // where the family has one
  Vector lambdas;                                                      // descending; empty: a grid is made
  Index n_lambdas = 100;
  double lambda_min_ratio = 1e-4;
  bool fit_intercept = true;
  bool standardize = true;
  double tol = 1e-6;  // relative duality gap
  int max_iter = 1000;

  const double* response(Index k) const { return shared_response ? responses : responses + k * n_rows; }
  double origin(Index k) const { return origins == nullptr ? 0.0 : origins[k]; }
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

struct PathResult {
  Vector lambdas;
  std::vector<Point> points;  // problem-major: points[k * n_lambdas + l]
  Vector null_loss;           // per problem
  Vector lambda_max;          // per problem
  Vector scales;              // n_problems x n_features
  double n_sweeps = 0.0;      // reads of the whole matrix
  bool interrupted = false;
};

}  // namespace normball
