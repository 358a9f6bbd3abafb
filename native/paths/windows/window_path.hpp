// Tall data with a curved loss, wherever its rows are.
#pragma once

#include "core/threads.hpp"
#include "paths/windows/curvature_path.hpp"

namespace normball {

// Of problems whose intercepts are fitted (NullModel), in units that they share.
ValuesOfProblems single_values(std::vector<Problem>& problems, const Vector& units);

// The path of problems about `centre`, by their values.
PathResult path_by_windows(RowPass& pass, const ValuesOfProblems& values, const Specification& spec,
                           std::vector<Problem>& problems, const Vector& centre, Threads& threads, Monitor& monitor);

}  // namespace normball
