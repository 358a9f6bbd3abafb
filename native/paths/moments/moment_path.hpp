// Squared error in p-space, wherever the moments come from.
#pragma once

#include "core/threads.hpp"
#include "problem/summaries.hpp"

namespace normball {

// The path of problems whose targets and columns are summarised, about `centre`.
PathResult path_by_moments(std::vector<Summary>&& summaries, double n_reads, const Specification& spec,
                           std::vector<Problem>& problems, const Vector& centre, Threads& threads, Monitor& monitor);

}  // namespace normball
