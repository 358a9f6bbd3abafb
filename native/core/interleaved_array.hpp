// Some numbers a row: what several problems at once know of a row of X or of a column. A row over the rows of X is one
// cache line, eight doubles or sixteen floats.
#pragma once

#include <algorithm>
#include <memory>

#include "core/types.hpp"

namespace normball {

template <class T, Index Width = 64 / sizeof(T)>
class InterleavedArray {
 public:
  static constexpr Index width = Width;

  InterleavedArray() = default;
  explicit InterleavedArray(Index rows) { resize(rows); }

  // what was in it is lost
  void resize(Index rows) {
    rows_ = rows;
    if (rows <= capacity_) return;
    capacity_ = rows;
    memory_.reset(new T[static_cast<std::size_t>(rows * width + line)]);
    const auto place = static_cast<Index>(reinterpret_cast<std::uintptr_t>(memory_.get()) / sizeof(T));
    start_ = memory_.get() + (line - place % line) % line;
  }
  void assign(Index rows, T value) {
    resize(rows);
    std::fill_n(start_, size(), value);
  }
  void copy(const InterleavedArray& other) {
    resize(other.rows_);
    std::copy_n(other.start_, size(), start_);
  }

  Index rows() const { return rows_; }
  Index size() const { return rows_ * width; }
  T* operator[](Index row) { return start_ + row * width; }
  const T* operator[](Index row) const { return start_ + row * width; }
  T* data() { return start_; }
  const T* data() const { return start_; }

  void put(Index place, const double* values) {
    for (Index i = 0; i < rows_; ++i) start_[i * width + place] = static_cast<T>(values[i]);
  }
  void put(Index place, T value) {
    for (Index i = 0; i < rows_; ++i) start_[i * width + place] = value;
  }

 private:
  static constexpr Index line = 64 / sizeof(T);

  Index rows_ = 0;
  Index capacity_ = 0;
  std::unique_ptr<T[]> memory_;
  T* start_ = nullptr;
};

}  // namespace normball
