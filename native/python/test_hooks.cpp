#include "python/test_hooks.hpp"

#include <cstdio>  // nanobind's headers use stderr without it
#include <string>

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "core/cpu.hpp"
#include "core/threads.hpp"

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

}  // namespace

void define_test_hooks(nb::module_& m) {
  m.def("cpu_levels", &cpu_levels);
  m.def("cpu_level", &cpu_level);
  m.def("set_cpu_level", &set_cpu_level, "name"_a);
  m.def("run_tasks", &run_tasks, "count"_a, "task"_a, "n_threads"_a);
}

}  // namespace normball
