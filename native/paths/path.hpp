// The question put to the first path solver on the table that can answer it and pays.
#pragma once

#include "core/threads.hpp"
#include "design/design.hpp"
#include "problem/specification.hpp"

namespace normball {

// with threads that end with the call; sets the centre of the design
PathResult solve_path(Design& design, const Specification& asked, int n_threads, const Monitor::Poll& poll);

PathResult solve_path(Design& design, const Specification& asked, Threads& threads, const Monitor::Poll& poll);

}  // namespace normball
