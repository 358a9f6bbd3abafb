// One read of tall rows for many candidates at once, wherever the rows are: in memory (design_pass.hpp) or in blocks
// that something else reads (row_blocks/row_blocks.cpp).
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "core/types.hpp"
#include "losses/rows.hpp"

namespace normball {

// X'DX on the columns divided by their units, and what profiles the intercept out of it. Of several outputs it is that
// of the columns of each, one output after the other, and of their intercepts at the end, which are columns there.
struct WindowCurvature {
  double position = 0.0;  // on the axis of log(lambda)
  Vector matrix;          // both triangles, of one output with the intercept profiled out
  Vector sums;            // of one output: sum_i d_i x_ij
  double total = 0.0;     // and sum_i d_i
};

// One candidate: what goes into the pass and what comes out, one output after the other.
struct Evaluation {
  Index problem = 0;
  Vector coef;                                 // units of the data
  Vector constant;                             // eta of a row at the design's centre, without its offset
  std::shared_ptr<WindowCurvature> curvature;  // filled where there is one
  bool is_precise = false;                     // that one in double instead of few digits

  RowSums sums;
  Vector product;   // sum_i r_i (x_ij - c_j)
  Vector residual;  // sum_i r_i, of several outputs
};

class RowPass {
 public:
  RowPass() = default;
  virtual ~RowPass() = default;
  RowPass(const RowPass&) = delete;
  RowPass& operator=(const RowPass&) = delete;

  Index n_reads() const { return n_reads_; }

  // The candidates of one problem stand together; as many problems share a read as memory allows. False where the
  // caller's world stopped it: nothing may be made of the evaluations then.
  bool run(const std::vector<Evaluation*>& evaluations) {
    for (auto begin = evaluations.begin(); begin != evaluations.end();) {
      auto end = begin;
      Index n_curved = 0;
      while (end != evaluations.end()) {
        const auto next =
            std::find_if(end, evaluations.end(), [&](const auto* e) { return e->problem != (*end)->problem; });
        Index n_more = 0;  // precise ones take twice the memory
        for (auto e = end; e != next; ++e) n_more += (*e)->curvature ? ((*e)->is_precise ? 2 : 1) : 0;
        if (end != begin && (next - begin > most_candidates() || n_curved + n_more > most_curved())) break;
        n_curved += n_more;
        end = next;
      }
      if (!read_for({begin, end})) return false;
      ++n_reads_;
      begin = end;
    }
    return true;
  }

 protected:
  virtual bool read_for(const std::vector<Evaluation*>& evaluations) = 0;
  virtual Index most_candidates() const = 0;
  virtual Index most_curved() const = 0;

 private:
  Index n_reads_ = 0;
};

}  // namespace normball
