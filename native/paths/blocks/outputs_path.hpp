// Several outputs, and groups of features, with squared errors of rows that are known by their sums.
#pragma once

#include "paths/blocks/moment_rows.hpp"

namespace normball {

struct OnMoments {
  OutputsProblem of;
  std::unique_ptr<const MomentRows> rows;  // of this problem
};

// The path of some problems about `centre`.
PathResult outputs_path(const Specification& spec, std::vector<OnMoments>&& problems, const Vector& centre,
                        Threads& threads, Monitor& monitor);

}  // namespace normball
