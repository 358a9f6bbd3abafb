// A matrix seen as an operator. Every design is centred implicitly: its entries are x_ij - centre_j, and no
// centred copy is ever made. What depends on a problem's own weights (its mean and scale) is Standardisation.
#pragma once

#include <concepts>

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

template <class D>
concept Design = requires(const D& x, Index j, const double* v, double* out, const Sweep& sweep, const Gram& gram,
                          Columns columns, Threads& threads, const RowGroups& groups, const float* f, float* g) {
  { x.n_rows } -> std::convertible_to<Index>;
  { x.n_cols } -> std::convertible_to<Index>;
  x.sweep(sweep, threads);            // products with many columns
  x.sweep_squares(sweep, threads);    // the same with (x_ij - c_j)^2
  x.times(columns, v, out, threads);  // out += sum of columns times coefficients v
  x.add_gram(gram, threads);
  { x.moments(groups, threads) } -> std::same_as<std::vector<RowMoments>>;  // of all columns, in one read
  { x.guess_centre(v, out, threads) } -> std::same_as<double>;  // near the means under these weights; reads of X
  x.add_kernel(v, out);                       // out += Z Z', n x n, upper triangle, with columns z_j = a_j (x_j - c_j)
  x.for_each_entry(j, [](Index, double) {});  // stored entries of one column: (row, value) ...
  { x.n_entries(j) } -> std::convertible_to<Index>;
  x.for_first_entries(j, j, [](Index, double) { return true; });  // as stored, not centred, until the answer is no
  // a column and W vectors at once, which stand side by side in each row, over stored entries
  x.template interleaved_dots<16>(j, f, g);               // out_k = sum_i x_i v_ik
  x.template interleaved_moments<16>(j, f, g, g);         // with x_i, and with its square
  x.template add_interleaved<16>(j, f, f, g);             // out_ik += a_k d_ik x_i; d may be null, for 1
  { x.stored_centre(j) } -> std::convertible_to<double>;  // ... which still lack this centre
  { D::is_sparse } -> std::convertible_to<bool>;
  { D::epsilon } -> std::convertible_to<double>;     // of what is stored
  { D::mean_noise } -> std::convertible_to<double>;  // relative rounding of a squared distance to the mean
};

}  // namespace normball
