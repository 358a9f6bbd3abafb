// Proximal Newton for up to eight lambdas of one problem at once, on a working set of sparse columns: their quadratic
// models are minimised side by side (EightModels), in single precision beside gradients that are exact; each lambda has
// a step length of its own. What is said to be solved was measured with eta made anew from the coefficients.
#pragma once

#include <span>

#include "core/interleaved_array.hpp"
#include "losses/loss.hpp"
#include "paths/working_set/block.hpp"
#include "quadratic/eight_models.hpp"
#include "quadratic/step.hpp"

namespace normball {

// One lambda: where it starts and ends (`solution`, by position in the set) and the gap that is enough.
struct LambdaTask {
  double lambda;
  double goal;
  int max_steps;
  Solution* solution;
  int n_steps = 0;
  bool is_lost = false;  // it did not get there; others may
};

class EightLambdas {
 public:
  EightLambdas(const SparseDesign& design, const Problem& problem, const Loss& loss, const std::vector<Index>& set,
               std::span<LambdaTask> tasks, Monitor& monitor);

  // `last`: the solution that all go on from; who stands better there than where it would start, starts there
  void solve(const Solution* last);

  Index n_products() const { return models_.n_products(); }
  Index columns_read() const { return columns_read_; }

 private:
  struct State {
    Vector coef;
    Vector after;          // at the model's minimiser
    Vector gradient;       // products of the stored columns with the residual
    Vector dual_gradient;  // and with the dual point
    Vector eta;
    Vector residual;
    Vector curvature;
    Vector dual;  // w_i u_i at the last model's minimiser (M8b), empty where that tells nothing
    DualSums dual_sums;
    RowSums sums;
    double total = 0.0;  // of the curvature
    double intercept = 0.0;
    double loss = 0.0;
    double penalty = 0.0;
    bool is_open = true;
    bool may_be_done = false;
    bool has_gradient = false;
    int n_proofs = 0;
    StallRule progress = StallRule(4);
  };

  struct Worth {
    double linear;
    double square;
    double of(double left) const { return std::min(linear * left, square * left * left); }
  };

  Index n_lambdas() const { return std::ssize(tasks_); }
  Index size() const { return std::ssize(set_); }
  std::vector<EightModels::Column> model_columns();
  void start(const Solution* last);
  void set_eta();
  void evaluate(Index k, const Vector& eta);
  double penalty(Index k, const Vector& coef) const;
  double centre(Index c) const {  // of a stored column
    return design_.stored_centre(set_[c]) + problem_.scaling.shift[set_[c]];
  }
  void read(bool dual);
  void step();
  EightModels::Question question() const;
  double minimiser(Index c, Index k) const;
  Worth worth(Index k) const;
  double target(Index k) const;
  void move(Index k);
  double advance(Index k);
  double centre_change(Index k) const;
  bool is_exhausted(Index k) const;
  void prove();
  void save(Index k);

  const SparseDesign& design_;
  const Problem& problem_;
  const Loss& loss_;
  const std::vector<Index>& set_;
  std::span<LambdaTask> tasks_;
  Monitor& monitor_;
  RowCopy copy_;
  double size_;                    // the unit of the models' eta
  Vector units_;                   // of the models' coefficients
  Vector factors_;                 // of the penalty
  double smallest_l1_ = infinity;  // of the models' columns
  double smallest_l2_ = infinity;
  EightModels models_;
  std::vector<State> states_;
  InterleavedArray<double> rows_;  // what the columns are multiplied with
  RowsOfEight moved_;
  Vector slope_;  // of eta along a step
  Index columns_read_ = 0;
};

}  // namespace normball
