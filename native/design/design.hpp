// A matrix seen as an operator. Every design is centred implicitly: its entries are x_ij - centre_j, and no
// centred copy is ever made. What depends on a problem's own weights (its mean and scale) is its Scaling.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "core/threads.hpp"
#include "core/types.hpp"

namespace normball {

// A list of columns; without a list, a range of them.
struct Columns {
  const Index* list = nullptr;
  Index count = 0;
  Index first = 0;
  Index operator[](Index i) const { return list ? list[i] : first + i; }
};

// n_vectors vectors over the rows, and where their products with the columns go: out[k][i] for column i of the list.
struct Sweep {
  Columns columns;
  Index n_vectors = 1;
  const double* const* vectors = nullptr;
  double* const* out = nullptr;
};

// sum_i d_i (x_ia - c_a)(x_ib - c_b) for the columns a, b of a list, d >= 0. Columns before `first_new` are known
// already and only meet the new ones. `sums` gets sum_i d_i (x_ia - c_a).
struct Gram {
  Columns columns;
  Index first_new = 0;
  const double* d = nullptr;
  double* out = nullptr;  // column-major, upper triangle
  Index stride = 0;
  double* sums = nullptr;  // per column of the list
};

// Which rows belong together, for `moments`. Rows of group -1 have no weight and are not looked at.
struct RowGroups {
  Index count = 1;
  std::vector<std::int32_t> group;     // per row
  Vector d;                            // weight per row
  std::vector<const double*> targets;  // vectors over the rows that the columns are to be multiplied with

  std::vector<Index> members() const {
    std::vector<Index> rows;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (group[i] >= 0) rows.push_back(static_cast<Index>(i));
    }
    return rows;
  }
};

// Sums over one group of rows, d_i (x_ia - c_a) times: x_ib - c_b, 1, each target.
struct RowMoments {
  Vector gram;      // p x p, upper triangle
  Vector products;  // p with 1, then p for each target

  RowMoments() = default;
  RowMoments(Index n_columns, std::size_t n_targets)
      : gram(static_cast<std::size_t>(n_columns * n_columns), 0.0),
        products(static_cast<std::size_t>(n_columns) * (1 + n_targets), 0.0) {}

  void add(const RowMoments& other, double sign) {
    for (std::size_t e = 0; e < gram.size(); ++e) gram[e] += sign * other.gram[e];
    for (std::size_t e = 0; e < products.size(); ++e) products[e] += sign * other.products[e];
  }
};

// What every path solver may ask of a matrix. What is asked for concerns many rows, so that a virtual call costs
// nothing beside it, and a solver is compiled once for all kinds of matrices.
class Design {
 public:
  const Index n_rows;
  const Index n_cols;
  const double epsilon;     // of what is stored
  const double mean_noise;  // relative rounding of a squared distance to the mean
  const double* centre = nullptr;

  virtual ~Design() = default;
  Design& operator=(const Design&) = delete;

  virtual std::unique_ptr<Design> about(const double* other_centre) const = 0;  // the same matrix, centred elsewhere

  virtual void sweep(const Sweep& sweep, Threads& threads) const = 0;          // products with many columns
  virtual void sweep_squares(const Sweep& sweep, Threads& threads) const = 0;  // the same with (x_ij - c_j)^2
  // out += sum of columns times coefficients
  virtual void times(Columns columns, const double* coef, double* out, Threads& threads) const = 0;
  virtual void add_gram(const Gram& gram, Threads& threads) const = 0;
  virtual std::vector<RowMoments> moments(const RowGroups& groups, Threads& threads) const = 0;  // of all, in one read
  virtual double guess_centre(const double* weights, double* out, Threads& threads) const = 0;   // returns reads of X
  // out += Z Z', n x n, upper triangle, with columns z_j = factor_j (x_j - c_j)
  virtual void add_kernel(const double* factor, double* out) const = 0;
  // all columns, in the order of the list, of the rows begin .. begin + count, column-major
  virtual void pack_rows(const Columns& columns, Index begin, Index count, double* out, Index stride) const = 0;

  bool is_sparse() const { return indptr_ != nullptr; }
  Index n_entries(Index j) const { return indptr_ == nullptr ? n_rows : indptr_[j + 1] - indptr_[j]; }

  // Of one column's stored entries. Those of a full column are centred where they stand (its `origin` is taken from
  // what `read` gives); sums over those of another one still lack its `stored_centre`.
  double origin(Index j) const { return n_entries(j) == n_rows ? centre[j] : 0.0; }
  double stored_centre(Index j) const { return n_entries(j) == n_rows ? 0.0 : centre[j]; }
  virtual void dot(Index j, const double* v, double* out) const = 0;                   // sum_i x_i v_i
  virtual void add(Index j, const double* a, const double* d, double* out) const = 0;  // out_i += a d_i x_i; d or 1
  virtual void weighted_sums(Index j, const double* d, double* sum, double* square) const = 0;  // of d x and d x^2
  virtual void read(Index j, Index first, Index count, Index* rows, double* values) const = 0;  // as stored

 protected:
  Design(Index n_rows, Index n_cols, double epsilon, double mean_noise, const std::int64_t* indptr)
      : n_rows(n_rows), n_cols(n_cols), epsilon(epsilon), mean_noise(mean_noise), indptr_(indptr) {}
  Design(const Design&) = default;

  const std::int64_t* indptr_;  // where each column's entries begin; null where all are stored
};

// One whose rows can be had one by one.
class DenseDesign : public Design {
 public:
  // the listed columns of the listed rows, row-major; without a list of rows those from `begin` on
  virtual void take_rows(const std::vector<std::int32_t>& columns, const std::int64_t* rows, Index begin, Index count,
                         double* out) const = 0;

 protected:
  using Design::Design;
};

// One whose columns meet vectors that stand side by side in each row.
class SparseDesign : public Design {
 public:
  using Design::dot;

  // the stored entries of a column in the rows begin .. begin + count, which are counted from there, and those of a
  // full column centred; returns how many there are
  virtual Index read_rows(Index j, Index begin, Index count, std::int32_t* rows, double* values) const = 0;

  // the same of sixteen vectors of floats
  virtual void dot(Index j, const float* v, float* out) const = 0;
  // and of eight of doubles
  virtual void dot_eight(Index j, const double* v, double* out) const = 0;
  virtual void add_eight(Index j, const double* a, double* out) const = 0;

 protected:
  using Design::Design;
};

// Stored entries of a column as they are, (row, value), until the answer is no.
template <class Visit>
void for_first_entries(const Design& design, Index j, Index count, const Visit& visit) {
  constexpr Index most = 128;
  Index rows[most];
  double values[most];
  const Index last = std::min(count, design.n_entries(j));
  Index at_once = 8;  // many want no more
  for (Index first = 0; first < last; at_once = most) {
    const Index n = std::min(at_once, last - first);
    design.read(j, first, n, rows, values);
    for (Index e = 0; e < n; ++e) {
      if (!visit(rows[e], values[e])) return;
    }
    first += n;
  }
}

// all of them, those of full columns centred
template <class Visit>
void for_each_entry(const Design& design, Index j, const Visit& visit) {
  const double origin = design.origin(j);
  for_first_entries(design, j, design.n_rows, [&](Index i, double x) {
    visit(i, x - origin);
    return true;
  });
}

}  // namespace normball
