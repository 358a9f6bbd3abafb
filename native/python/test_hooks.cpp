#include "python/test_hooks.hpp"

#include <cstdio>  // nanobind's headers use stderr without it
#include <string>

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "core/cpu.hpp"
#include "core/threads.hpp"
#include "python/scipy_blas.hpp"
#include "quadratic/group_solver.hpp"
#include "quadratic/row_solver.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace normball {
namespace {

std::vector<std::string> cpu_levels() {
  const auto count = static_cast<std::ptrdiff_t>(cpu::highest_level()) + 1;
  return {cpu::level_names.begin(), cpu::level_names.begin() + count};
}

std::string cpu_level() { return cpu::level_names[static_cast<std::size_t>(cpu::level())]; }

void set_cpu_level(const std::string& name) {
  const std::vector<std::string> names = cpu_levels();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) {
      cpu::level_in_force = static_cast<cpu::Level>(i);
      return;
    }
  }
  throw nb::value_error(("this CPU or this build has no level " + name).c_str());
}

// How many threads there were, the caller's included, to call task(i) for each i < count.
Index run_tasks(Index count, const nb::callable& task, int n_threads) {
  const nb::gil_scoped_release no_gil;
  Threads threads(n_threads);
  threads.parallel_for(count, [&](Index i) {
    const nb::gil_scoped_acquire gil;
    task(i);
  });
  return threads.count();
}

using Values = nb::ndarray<const double, nb::numpy, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Table = nb::ndarray<const double, nb::numpy, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Stack = nb::ndarray<const double, nb::numpy, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Written = nb::ndarray<double, nb::numpy, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using WrittenTable = nb::ndarray<double, nb::numpy, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// Everything that a block's term says of b and of z, which is a gradient as well; the minimiser goes to `prox`.
nb::dict group_term(double l1, double group, double l2, const Values& z, const Values& b, double curvature,
                    const Written& prox) {
  const GroupTerm term{.l1 = l1, .group = group, .l2 = l2};
  const auto n = static_cast<Index>(z.size());
  term.prox(z.data(), curvature, prox.data(), n);
  nb::dict said;
  said["value"] = term.value(b.data(), n);
  said["violation"] = term.violation(z.data(), b.data(), n);
  said["conjugate"] = term.conjugate(z.data(), n);
  said["costless_scale"] = term.costless_scale(z.data(), n);
  said["strength_asked"] = GroupTerm::strength_asked(z.data(), n, l1, group);
  return said;
}

// Minimises linear'b + b'Hb / 2 + sum_blocks term(b), for one row of `linear` after the other by one solver, from the
// last b on; rows of `b` and `gradients` are where each ends. H changes where `versions` does; terms[k] are l1, group
// and l2 of each block in problem k.
void solve_groups(const Stack& H, const std::vector<Index>& versions, const Table& linear,
                  const std::vector<Index>& counts, const Stack& terms, double tolerance, const WrittenTable& b,
                  const WrittenTable& gradients) {
  load_blas();
  GroupSolver solver;
  const auto size = static_cast<Index>(linear.shape(1));
  for (std::size_t k = 0; k < versions.size(); ++k) {
    std::vector<GroupSolver::Block> blocks;
    Index first = 0;
    for (std::size_t g = 0; g < counts.size(); ++g) {
      const double* term = terms.data() + 3 * (k * counts.size() + g);
      blocks.push_back({.first = first, .count = counts[g], .term = {.l1 = term[0], .group = term[1], .l2 = term[2]}});
      first += counts[g];
    }
    const double* matrix = H.data() + versions[k] * size * size;
    double* at = b.data() + static_cast<Index>(k) * size;
    double* gradient = gradients.data() + static_cast<Index>(k) * size;
    if (k > 0) std::copy_n(at - size, size, at);
    std::copy_n(linear.data() + static_cast<Index>(k) * size, size, gradient);
    for (Index j = 0; j < size; ++j) kernels::axpy(at[j], matrix + j * size, 0.0, gradient, size);
    solver.solve({.size = size, .H = matrix, .stride = size, .blocks = &blocks, .version = versions[k]}, at, gradient,
                 tolerance);
  }
}

// From b, moves it and the gradient there to the minimiser; columns of Z, so its rows here, are rows of data, and terms
// are l1, l2 and both bounds of each coefficient. Whether the tolerance was reached.
bool solve_by_rows(const Table& Z, const Table& terms, double tolerance, const Written& b, const Written& gradient) {
  load_blas();
  std::vector<ElasticNet> list;
  for (std::size_t j = 0; j < b.size(); ++j) {
    const double* term = terms.data() + 4 * j;
    list.push_back({.l1 = term[0], .l2 = term[1], .lower = term[2], .upper = term[3]});
  }
  RowSolver solver;
  return solver.solve({.size = static_cast<Index>(b.size()),
                       .n_rows = static_cast<Index>(Z.shape(0)),
                       .Z = Z.data(),
                       .terms = list.data()},
                      b.data(), gradient.data(), tolerance);
}

}  // namespace

void define_test_hooks(nb::module_& m) {
  m.def("cpu_levels", &cpu_levels);
  m.def("cpu_level", &cpu_level);
  m.def("set_cpu_level", &set_cpu_level, "name"_a);
  m.def("group_term", &group_term, "l1"_a, "group"_a, "l2"_a, "z"_a, "b"_a, "curvature"_a, "prox"_a);
  m.def("solve_groups", &solve_groups, "H"_a, "versions"_a, "linear"_a, "counts"_a, "terms"_a, "tolerance"_a, "b"_a,
        "gradients"_a);
  m.def("solve_by_rows", &solve_by_rows, "Z"_a, "terms"_a, "tolerance"_a, "b"_a, "gradient"_a);
  m.def("run_tasks", &run_tasks, "count"_a, "task"_a, "n_threads"_a);
}

}  // namespace normball
