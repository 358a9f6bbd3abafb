// BLAS and LAPACK are scipy's own: scipy_blas.cpp fills this table with the function pointers that
// scipy.linalg.cython_blas and cython_lapack publish, so nothing is linked and nothing is shipped twice.
#pragma once

#include <stdexcept>

#include "core/types.hpp"

namespace normball {

struct Blas {
  void (*dsyrk)(char*, char*, int*, int*, double*, double*, int*, double*, double*, int*) = nullptr;
  void (*dgemm)(char*, char*, int*, int*, int*, double*, double*, int*, double*, int*, double*, double*,
                int*) = nullptr;
  void (*dgemv)(char*, int*, int*, double*, double*, int*, double*, int*, double*, double*, int*) = nullptr;
  void (*dtrsm)(char*, char*, char*, char*, int*, int*, double*, double*, int*, double*, int*) = nullptr;
  void (*dpotrf)(char*, int*, double*, int*, int*) = nullptr;
  void (*dpstrf)(char*, int*, double*, int*, int*, int*, double*, double*, int*) = nullptr;
  void (*dtrsv)(char*, char*, char*, int*, double*, int*, double*, int*) = nullptr;
  void (*dsyevd)(char*, char*, int*, double*, int*, double*, double*, int*, int*, int*, int*) = nullptr;
};

inline Blas& blas() {
  static Blas table;
  return table;
}

namespace linalg {

// C (m x n, leading dimension ldc) += A' B, with A (k x m) and B (k x n) column-major
inline void add_at_b(Index m, Index n, Index k, const double* A, Index lda, const double* B, Index ldb, double* C,
                     Index ldc) {
  if (m == 0) return;
  char t = 'T', no = 'N';
  int mi = static_cast<int>(m), ni = static_cast<int>(n), ki = static_cast<int>(k), la = static_cast<int>(lda),
      lb = static_cast<int>(ldb), lc = static_cast<int>(ldc);
  double one = 1.0;
  blas().dgemm(&t, &no, &mi, &ni, &ki, &one, const_cast<double*>(A), &la, const_cast<double*>(B), &lb, &one, C, &lc);
}

// C (m x n, leading dimension ldc) += A B, with A (m x k) and B (k x n) column-major
inline void add_a_b(Index m, Index n, Index k, const double* A, Index lda, const double* B, Index ldb, double* C,
                    Index ldc) {
  char no = 'N';
  int mi = static_cast<int>(m), ni = static_cast<int>(n), ki = static_cast<int>(k), la = static_cast<int>(lda),
      lb = static_cast<int>(ldb), lc = static_cast<int>(ldc);
  double one = 1.0;
  blas().dgemm(&no, &no, &mi, &ni, &ki, &one, const_cast<double*>(A), &la, const_cast<double*>(B), &lb, &one, C, &lc);
}

// upper triangle of C (m x m) += a * A' A, with A (k x m) column-major
inline void add_at_a(Index m, Index k, double a, const double* A, Index lda, double* C, Index ldc) {
  char u = 'U', t = 'T';
  int mi = static_cast<int>(m), ki = static_cast<int>(k), la = static_cast<int>(lda), lc = static_cast<int>(ldc);
  double one = 1.0;
  blas().dsyrk(&u, &t, &mi, &ki, &a, const_cast<double*>(A), &la, &one, C, &lc);
}

// C (m x n) = A B, with A (m x k) and B (k x n), all column-major and without gaps
inline void multiply(Index m, Index n, Index k, const double* A, const double* B, double* C) {
  char no = 'N';
  int mi = static_cast<int>(m), ni = static_cast<int>(n), ki = static_cast<int>(k);
  double one = 1.0, zero = 0.0;
  blas().dgemm(&no, &no, &mi, &ni, &ki, &one, const_cast<double*>(A), &mi, const_cast<double*>(B), &ki, &zero, C, &mi);
}

// upper triangle of C (m x m) += a * A A', with A (m x k) column-major
inline void add_a_at(Index m, Index k, double a, const double* A, Index lda, double* C, Index ldc) {
  if (m == 0 || k == 0) return;
  char u = 'U', no = 'N';
  int mi = static_cast<int>(m), ki = static_cast<int>(k), la = static_cast<int>(lda), lc = static_cast<int>(ldc);
  double one = 1.0;
  blas().dsyrk(&u, &no, &mi, &ki, &a, const_cast<double*>(A), &la, &one, C, &lc);
}

// y = A x or y = A' x, with A (m x n) column-major
inline void gemv(bool transpose, Index m, Index n, const double* A, Index lda, const double* x, double* y) {
  char t = transpose ? 'T' : 'N';
  int mi = static_cast<int>(m), ni = static_cast<int>(n), la = static_cast<int>(lda), one = 1;
  double a = 1.0, zero = 0.0;
  blas().dgemv(&t, &mi, &ni, &a, const_cast<double*>(A), &la, const_cast<double*>(x), &one, &zero, y, &one);
}

// Cholesky factor in the upper triangle; false where A is not positive definite
inline bool cholesky(Index n, double* A, Index lda) {
  char u = 'U';
  int ni = static_cast<int>(n), la = static_cast<int>(lda), info = 0;
  blas().dpotrf(&u, &ni, A, &la, &info);
  return info == 0;
}

// The same with the largest remaining pivot next, down to `least`: the upper triangle of A (n x n, without gaps)
// becomes the factor of its rows and columns in the order of `places`, of which as many rows count as the rank
// returned.
inline Index pivoted_cholesky(Index n, double* A, double least, std::vector<int>& places) {
  char u = 'U';
  int ni = static_cast<int>(n), rank = 0, info = 0;
  places.resize(static_cast<std::size_t>(n));
  Vector work(static_cast<std::size_t>(2 * n));
  blas().dpstrf(&u, &ni, A, &ni, places.data(), &rank, &least, work.data(), &info);
  for (int& place : places) --place;
  while (rank > 0 && A[(rank - 1) * (n + 1)] * A[(rank - 1) * (n + 1)] <= least) --rank;  // it takes any first pivot
  return rank;
}

// B (n x m) becomes R'^-1 B, with R upper triangular
inline void solve_transposed(Index n, Index m, const double* R, Index ldr, double* B, Index ldb) {
  if (n == 0 || m == 0) return;
  char l = 'L', u = 'U', t = 'T', no = 'N';
  int ni = static_cast<int>(n), mi = static_cast<int>(m), lr = static_cast<int>(ldr), lb = static_cast<int>(ldb);
  double one = 1.0;
  blas().dtrsm(&l, &u, &t, &no, &ni, &mi, &one, const_cast<double*>(R), &lr, B, &lb);
}

// b becomes (R'R)^-1 b; two triangular solves, since dpotrs copies the factor even for one right-hand side
inline void cholesky_solve(Index n, const double* R, Index ldr, double* b) {
  if (n == 0) return;
  char u = 'U', t = 'T', no = 'N';
  int ni = static_cast<int>(n), lr = static_cast<int>(ldr), one = 1;
  for (char* transpose : {&t, &no}) blas().dtrsv(&u, transpose, &no, &ni, const_cast<double*>(R), &lr, b, &one);
}

// A = Q diag(values) Q' with ascending values; Q replaces A
inline void eigen(Index n, double* A, Vector& values) {
  char v = 'V', u = 'U';
  int ni = static_cast<int>(n), info = 0, lwork = -1, liwork = -1, iwork_size = 0;
  double work_size = 0.0;
  values.resize(static_cast<std::size_t>(n));
  blas().dsyevd(&v, &u, &ni, A, &ni, values.data(), &work_size, &lwork, &iwork_size, &liwork, &info);
  lwork = static_cast<int>(work_size);
  liwork = iwork_size;
  Vector work(static_cast<std::size_t>(lwork));
  std::vector<int> iwork(static_cast<std::size_t>(liwork));
  blas().dsyevd(&v, &u, &ni, A, &ni, values.data(), work.data(), &lwork, iwork.data(), &liwork, &info);
  if (info != 0) throw std::runtime_error("the symmetric eigenvalue problem did not converge");
}

}  // namespace linalg
}  // namespace normball
