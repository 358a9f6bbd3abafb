// One read of a tall design for many candidates at once: a block of rows is packed once and meets all of them in
// BLAS-3, eta = X B, then the losses, then X'R; where wanted also the curvature X'DX.
#pragma once

#include <cmath>
#include <memory>

#include "core/blas.hpp"
#include "losses/loss.hpp"
#include "paths/windows/rough_gram.hpp"
#include "problem/problem.hpp"

namespace normball {

// X'DX on the columns divided by their units, and what profiles the intercept out of it
struct WindowCurvature {
  double position = 0.0;  // on the axis of log(lambda)
  Vector matrix;          // p x p, both triangles, with the intercept profiled out
  Vector sums;            // sum_i d_i x_ij
  double total = 0.0;     // sum_i d_i
};

// One candidate: what goes into the pass and what comes out.
struct Evaluation {
  Index problem = 0;
  Vector coef;                                 // units of the data
  double constant = 0.0;                       // eta of a row at the design's centre, without its offset
  std::shared_ptr<WindowCurvature> curvature;  // filled where there is one
  bool is_precise = false;                     // that one in double instead of few digits

  RowSums sums;
  Vector product;  // sum_i r_i (x_ij - c_j)
};

class RowPass {
 public:
  RowPass(const DenseDesign& design, const Specification& spec, const Losses& losses,
          const std::vector<Problem>& problems, const Vector& units, Threads& threads)
      : design_(design), spec_(spec), losses_(losses), problems_(problems), units_(units), threads_(threads) {}

  Index n_reads() const { return n_reads_; }

  // The candidates of one problem stand together; as many problems share a read as memory allows.
  void run(const std::vector<Evaluation*>& evaluations) {
    for (auto begin = evaluations.begin(); begin != evaluations.end();) {
      auto end = begin;
      Index n_curved = 0;
      while (end != evaluations.end()) {
        const auto next =
            std::find_if(end, evaluations.end(), [&](const auto* e) { return e->problem != (*end)->problem; });
        Index n_more = 0;  // precise ones take twice the memory
        for (auto e = end; e != next; ++e) n_more += (*e)->curvature ? ((*e)->is_precise ? 2 : 1) : 0;
        if (end != begin && (next - begin > most_candidates || n_curved + n_more > most_curved())) break;
        n_curved += n_more;
        end = next;
      }
      read_for({begin, end});
      begin = end;
    }
  }

 private:
  static constexpr Index block = RoughGram::block;  // rows; with 1000 columns they fill 2 MB of cache
  static constexpr Index most_candidates = 256;

  void read_for(const std::vector<Evaluation*>& evaluations) {
    ++n_reads_;
    evaluations_ = &evaluations;
    curved_.clear();
    for (std::size_t c = 0; c < evaluations.size(); ++c) {
      if (evaluations[c]->curvature) curved_.push_back(static_cast<Index>(c));
    }
    order_columns();
    std::vector<Part> parts(static_cast<std::size_t>(n_parts()));
    threads_.parallel_for(static_cast<Index>(parts.size()), [&](Index i) {
      const auto count = static_cast<Index>(parts.size());
      const Index n_blocks = (spec_.n_rows + block - 1) / block;
      read(parts[i], block * (n_blocks * i / count), std::min(spec_.n_rows, block * (n_blocks * (i + 1) / count)));
    });
    for (std::size_t i = 1; i < parts.size(); ++i) parts[0].add(parts[i]);
    write(parts[0]);
  }

  // What one share of the rows adds up. The number of shares depends on sizes alone, so the sums do, too.
  struct Part {
    Vector products;  // p x (candidates + curvatures)
    std::vector<RowSums> sums;
    Vector totals;
    std::vector<Vector> grams;               // of precise curvatures
    std::vector<std::vector<float>> roughs;  // of the others

    void add(const Part& other) {
      for (std::size_t i = 0; i < products.size(); ++i) products[i] += other.products[i];
      for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += other.sums[c];
      for (std::size_t h = 0; h < totals.size(); ++h) {
        totals[h] += other.totals[h];
        for (std::size_t i = 0; i < grams[h].size(); ++i) grams[h][i] += other.grams[h][i];
        for (std::size_t i = 0; i < roughs[h].size(); ++i) roughs[h][i] += other.roughs[h][i];
      }
    }
  };

  // What one share works in.
  struct Buffers {
    Vector x;        // block x p, centred
    Vector targets;  // block x (candidates + curvatures): eta, then residuals; curvatures
    Vector scaled;   // block x p, times the roots of a precise curvature
    Vector root;
    RoughGram rough;
  };

  // on few rows rounding does not average out, and shows where columns depend on each other
  bool is_precise(std::size_t h) const { return spec_.n_rows < 16 * block || (*evaluations_)[curved_[h]]->is_precise; }
  Index p() const { return spec_.n_features; }
  Index n_candidates() const { return static_cast<Index>(evaluations_->size()); }
  Index n_curved() const { return static_cast<Index>(curved_.size()); }
  Index n_targets() const { return n_candidates() + n_curved(); }

  // memory: the sums of all parts stay below a tenth of X, or 8 MB
  Index n_parts() const {
    const Index room = std::max(spec_.n_rows * p() / 10, Index{1'000'000});
    const Index fits = room / (p() * (most_candidates / 2 + 3 * p()));
    return std::clamp<Index>(std::min(fits, spec_.n_rows / (4 * block)), 1, 8);
  }
  Index most_curved() const {
    return std::max<Index>(1, 2 * std::max(spec_.n_rows * p() / 12, Index{1'000'000}) / (n_parts() * p() * p()));
  }

  // Columns that any candidate uses come first: the products with X need no others.
  void order_columns() {
    order_.clear();
    std::vector<Index> rest;
    for (Index j = 0; j < p(); ++j) {
      const bool used = std::ranges::any_of(*evaluations_, [j](const Evaluation* e) { return e->coef[j] != 0.0; });
      (used ? order_ : rest).push_back(j);
    }
    n_used_ = std::ssize(order_);
    order_.insert(order_.end(), rest.begin(), rest.end());
    inverse_units_.clear();
    for (const Index j : order_) inverse_units_.push_back(1.0 / units_[j]);
    coefs_.resize(static_cast<std::size_t>(n_used_ * n_candidates()));
    for (Index c = 0; c < n_candidates(); ++c) {
      for (Index a = 0; a < n_used_; ++a) coefs_[c * n_used_ + a] = (*evaluations_)[c]->coef[order_[a]];
    }
  }

  void read(Part& part, Index begin, Index end) const {
    const auto width = static_cast<std::size_t>(p());
    part.products.assign(width * static_cast<std::size_t>(n_targets()), 0.0);
    part.sums.resize(static_cast<std::size_t>(n_candidates()));
    part.totals.assign(curved_.size(), 0.0);
    part.grams.resize(curved_.size());
    part.roughs.resize(curved_.size());
    Buffers buffers{.x = Vector(block * width),
                    .targets = Vector(static_cast<std::size_t>(block * n_targets())),
                    .scaled = {},
                    .root = Vector(block),
                    .rough = RoughGram(p(), kernels::multiplies_bytes())};
    for (std::size_t h = 0; h < curved_.size(); ++h) {
      if (is_precise(h)) {
        buffers.scaled.resize(block * width);
        part.grams[h].assign(width * width, 0.0);
      } else {
        part.roughs[h] = buffers.rough.empty_sums();
      }
    }
    const Columns columns{.list = order_.data(), .count = p()};
    for (Index first = begin; first < end; first += block) {
      const Index count = std::min(block, end - first);
      design_.pack_rows(columns, first, count, buffers.x.data(), block);
      evaluate(part, buffers, first, count);
      for (Index h = 0; h < n_curved(); ++h) add_gram(part, buffers, h, first, count);
      linalg::add_at_b(p(), n_targets(), count, buffers.x.data(), block, buffers.targets.data(), block,
                       part.products.data(), p());
    }
  }

  void evaluate(Part& part, Buffers& buffers, Index first, Index count) const {
    for (Index c = 0; c < n_candidates(); ++c) {
      double* eta = buffers.targets.data() + c * block;
      const Evaluation& evaluation = *(*evaluations_)[c];
      const double* offset = problems_[evaluation.problem].offset + first;
      for (Index r = 0; r < count; ++r) eta[r] = offset[r] + evaluation.constant;
    }
    if (n_used_ > 0) {
      linalg::add_a_b(count, n_candidates(), n_used_, buffers.x.data(), block, coefs_.data(), n_used_,
                      buffers.targets.data(), block);
    }
    Index h = 0;
    for (Index c = 0; c < n_candidates(); ++c) {
      const Evaluation& evaluation = *(*evaluations_)[c];
      const Problem& problem = problems_[evaluation.problem];
      double* eta = buffers.targets.data() + c * block;
      double* curvature = nullptr;
      if (evaluation.curvature) curvature = buffers.targets.data() + (n_candidates() + h++) * block;
      part.sums[c] += losses_[evaluation.problem]->evaluate(
          first, count, eta, {.residual = eta, .curvature = curvature, .least_curvature = problem.least_curvature()});
    }
  }

  void add_gram(Part& part, Buffers& buffers, Index h, Index first, Index count) const {
    const double* d = buffers.targets.data() + (n_candidates() + h) * block;
    for (Index r = 0; r < count; ++r) {
      buffers.root[r] = std::sqrt(d[r]);
      part.totals[h] += d[r];
    }
    if (is_precise(static_cast<std::size_t>(h))) {
      for (Index a = 0; a < p(); ++a) {
        kernels::scale(inverse_units_[a], buffers.root.data(), buffers.x.data() + a * block,
                       buffers.scaled.data() + a * block, count);
      }
      linalg::add_at_a(p(), count, 1.0, buffers.scaled.data(), block, part.grams[h].data(), p());
    } else {
      buffers.rough.add(buffers.x.data(), order_.data(), inverse_units_.data(), buffers.root.data(), first, count,
                        part.roughs[h]);
    }
  }

  void write(const Part& part) const {
    Index h = 0;
    for (Index c = 0; c < n_candidates(); ++c) {
      Evaluation& evaluation = *(*evaluations_)[c];
      evaluation.sums = part.sums[c];
      evaluation.product.resize(static_cast<std::size_t>(p()));
      for (Index a = 0; a < p(); ++a) evaluation.product[order_[a]] = part.products[c * p() + a];
      if (evaluation.curvature) write_curvature(part, h++, *evaluation.curvature);
    }
  }

  void write_curvature(const Part& part, Index h, WindowCurvature& out) const {
    out.matrix.resize(static_cast<std::size_t>(p() * p()));
    out.sums.resize(static_cast<std::size_t>(p()));
    out.total = part.totals[h];
    const double* sums = part.products.data() + (n_candidates() + h) * p();
    for (Index a = 0; a < p(); ++a) out.sums[order_[a]] = sums[a] / units_[order_[a]];
    for (Index b = 0; b < p(); ++b) {
      for (Index a = 0; a <= b; ++a) {
        const Index i = order_[a];
        const Index j = order_[b];
        double entry = is_precise(static_cast<std::size_t>(h)) ? part.grams[h][b * p() + a]
                                                               : part.roughs[h][b * RoughGram::stride(p()) + a];
        if (spec_.fit_intercept) entry -= out.sums[i] * out.sums[j] / out.total;
        out.matrix[j * p() + i] = out.matrix[i * p() + j] = entry;
      }
    }
  }

  const DenseDesign& design_;
  const Specification& spec_;
  const Losses& losses_;
  const std::vector<Problem>& problems_;
  const Vector& units_;
  Threads& threads_;

  const std::vector<Evaluation*>* evaluations_ = nullptr;
  std::vector<Index> curved_;  // candidates whose curvature is wanted
  std::vector<Index> order_;
  Index n_used_ = 0;  // how many of them any candidate uses
  Vector coefs_;
  Vector inverse_units_;  // in that order
  Index n_reads_ = 0;
};

}  // namespace normball
