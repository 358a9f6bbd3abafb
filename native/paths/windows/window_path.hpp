// Tall data with a curved loss, wherever its rows are.
#pragma once

#include "core/threads.hpp"
#include "paths/windows/curvature_path.hpp"

namespace normball {

// The path of problems whose intercepts are fitted (NullModel), about `centre`, in units that they share.
PathResult path_by_windows(RowPass& pass, const Vector& units, const Specification& spec,
                           std::vector<Problem>& problems, const Vector& centre, Threads& threads, Monitor& monitor);

}  // namespace normball
