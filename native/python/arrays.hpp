// Arrays in and out: layouts are checked, the instantiation is picked once, what comes back owns its memory.
#pragma once

#include <cstdio>  // nanobind's headers use stderr without it
#include <optional>
#include <string>
#include <utility>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "core/threads.hpp"
#include "design/design.hpp"
#include "problem/specification.hpp"

namespace nb = nanobind;

namespace normball {

template <class T, class... Shape>
using Array = nb::ndarray<const T, nb::numpy, nb::device::cpu, Shape...>;
template <class T>
using Flat = Array<T, nb::ndim<1>, nb::c_contig>;
using Table = Array<double, nb::ndim<2>, nb::c_contig>;

template <class T>
nb::object owned(std::vector<T>&& values, std::initializer_list<std::size_t> shape) {
  auto* moved = new std::vector<T>(std::move(values));
  const nb::capsule owner(moved, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, T>(moved->data(), shape, owner));
}
template <class T>
nb::object owned(std::vector<T>&& values) {
  const std::size_t count = values.size();
  return owned(std::move(values), {count});
}

// What a call says of the problem beside its data.
struct Question {
  std::string family;
  double parameter;
  double l1_ratio;
  std::optional<Flat<double>> lambdas;
  Index n_lambdas;
  double lambda_min_ratio;
  Table penalty_factors;
  Table lower_bounds;
  Table upper_bounds;
  bool fit_intercept;
  bool standardize;
  double tol;
  int max_iter;
  Index n_outputs;
  bool grouped;
  std::optional<Flat<std::int32_t>> groups;
  std::optional<Flat<double>> group_weights;
  double group_ratio;
  bool orthonormalize;
};

// The caller keeps X alive; the design only points into it.
std::unique_ptr<Design> as_design(nb::handle X);
const Family& family_named(const std::string& name);
// Ctrl-C and the caller's progress; `poll` must outlive what is returned
Monitor::Poll polling(const nb::object& poll);
// a row for each problem, or one that all share
PerProblem per_problem(const Specification& spec, const Table& table, Index width);
// of `n_problems` and `n_features`, which are known
void ask(Specification& spec, const Question& question);
nb::dict as_dict(PathResult&& result, const Specification& spec);

}  // namespace normball
