// Solutions change almost linearly between two lambdas while signs stay: the last two point to the next.
#pragma once

#include "penalties/elastic_net.hpp"

namespace normball {

// How many of the last steps the next one is; 0 where there was none (`earlier` infinite) or it leads too far.
inline double continuation(double earlier, double last, double next) {
  const double length = (last - next) / (earlier - last);
  return length > 0.0 && length <= 2.0 ? length : 0.0;
}

// A coefficient that much further; what is at zero stays there, and signs and bounds stop it.
inline double continued(const ElasticNet& term, double last, double step) {
  return last == 0.0 ? 0.0 : term.reachable(last, step);
}

}  // namespace normball
