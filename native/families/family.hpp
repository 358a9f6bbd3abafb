// A family is one file in this folder: the formula of its loss and a line that puts it on the list. Each meets every
// design in a translation unit of its own, so that they compile side by side.
#pragma once

#include <string_view>

#include "design/any_design.hpp"
#include "losses/loss.hpp"
#include "paths/path.hpp"

namespace normball {

class Family {
 public:
  using Solve = PathResult (*)(const AnyDesign&, const Specification&, int n_threads, const Monitor::Poll&);
  using Sum = RowSums (*)(double parameter, const Rows&);
  using SumDual = DualSums (*)(double parameter, const Rows&, const double* dual);
  using Constant = double (*)(double parameter, double y);

  Family(std::string_view name, Solve solve, Sum sum, SumDual sum_dual, Constant constant) noexcept
      : name(name), solve(solve), sum(sum), sum_dual(sum_dual), constant(constant) {
    first_ = this;
  }

  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  ~Family() = default;

  // null where there is none of this name
  static const Family* find(std::string_view name) noexcept {
    const Family* family = first_;
    while (family != nullptr && family->name != name) family = family->next_;
    return family;
  }

  const std::string_view name;
  const Solve solve;
  const Sum sum;  // these for the tests that compare the formula with that of others
  const SumDual sum_dual;
  const Constant constant;

 private:
  static inline const Family* first_ = nullptr;
  const Family* next_ = first_;  // those made before it
};

template <Formula F>
Family family(std::string_view name) noexcept {
  return {
      name,
      [](const AnyDesign& any, const Specification& spec, int n_threads, const Monitor::Poll& poll) {
        return std::visit(
            [&]<class D>(const D& design) { return solve_path<D, SeparableLoss<F>>(design, spec, n_threads, poll); },
            any);
      },
      [](double parameter, const Rows& rows) { return row_sums(with_parameter<F>(parameter), rows); },
      [](double parameter, const Rows& rows, const double* dual) {
        return dual_sums(with_parameter<F>(parameter), rows, dual);
      },
      [](double parameter, double y) { return with_parameter<F>(parameter).constant(y); }};
}

}  // namespace normball
