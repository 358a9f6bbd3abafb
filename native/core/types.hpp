// The words that every room of the core shares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace normball {

using Index = std::ptrdiff_t;
using Vector = std::vector<double>;
using Buffer = std::unique_ptr<double[]>;  // written before it is read: what is never touched takes no memory

inline Buffer make_buffer(Index size) {
  return std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(size));
}

inline constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace normball
