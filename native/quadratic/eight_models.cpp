#include "quadratic/eight_models.hpp"

#include "quadratic/eight_passes.hpp"

namespace normball {
namespace {

using namespace eight_passes;

constexpr int most_steps = 400;   // after which a model is left to others
constexpr int longest_look = 25;  // steps without a look at signs, twice as many after each that hardly found any
constexpr int shortest_look = 10;
constexpr float few_changes = 8.0F;
constexpr int patience = 4;  // looks without progress
constexpr int most_parts = 4;
constexpr float rounding = 1e-6F;  // of sums over the columns

Eight* eights(RowsOfEight& array) { return reinterpret_cast<Eight*>(array.data()); }
const Eight* eights(const RowsOfEight& array) { return reinterpret_cast<const Eight*>(array.data()); }

bool any(const Eight& flags) {
  bool found = false;
  for (Index k = 0; k < n_side_by_side; ++k) found = found || flags[k] != 0.0F;
  return found;
}

}  // namespace

EightModels::EightModels(const RowCopy& copy, std::vector<Column> columns, bool has_intercept)
    : copy_(copy), columns_(std::move(columns)), has_intercept_(has_intercept) {
  d_.assign(copy.n_rows(), 0.0F);
  for (RowsOfEight* array : {&b_, &gradient_, &means_, &every_inverse_, &at_start_, &x_, &slope_, &inverse_, &search_,
                             &product_, &trial_, &best_x_, &best_gradient_}) {
    array->assign(std::ssize(columns_), 0.0F);
  }
}

EightModels::Arrays EightModels::arrays() {
  return {.count = std::ssize(columns_),
          .columns = columns_.data(),
          .b = eights(b_),
          .x = eights(x_),
          .gradient = eights(gradient_),
          .slope = eights(slope_),
          .inverse = eights(inverse_),
          .every_inverse = eights(every_inverse_),
          .means = eights(means_),
          .l1 = l1_,
          .l2 = l2_};
}

void EightModels::minimise(const Question& question, Monitor& monitor) {
  for (Index k = 0; k < n_side_by_side; ++k) {
    l1_[k] = static_cast<float>(question.l1[k]);
    l2_[k] = static_cast<float>(question.l2[k]);
    running_[k] = question.open[k] ? 1.0F : 0.0F;
  }
  measure();
  start(question);
  int since = shortest_look;
  for (int n_steps = 0; any(running_) && n_steps < most_steps && !monitor.stopped(); ++n_steps) {
    if (since >= longest_look_ || is_worth_a_look(since)) {
      since = 0;
      look();
      if (!any(running_)) break;
    }
    step();
    ++since;
  }
  if (any(running_)) {  // back to where they were best, which lowers the model
    back_to_best(running_);
    cpu::PerCpu<take_signs>::run(arrays(), running_);
  }
}

void EightModels::times_change(RowsOfEight& out) const {
  out.resize(copy_.n_rows());
  cpu::PerCpu<forth>::run(copy_, eights(x_), eights(out));
}

// of every column: its mean with the weights d, and the inverse of the diagonal of H
void EightModels::measure() {
  means_.assign(means_.rows(), 0.0F);
  every_inverse_.assign(every_inverse_.rows(), 0.0F);
  cpu::PerCpu<add_moments>::run(copy_, eights(d_), eights(means_), eights(every_inverse_));
  if (!has_intercept_) means_.assign(means_.rows(), 0.0F);
  cpu::PerCpu<invert>::run(arrays(), eights(every_inverse_));
}

void EightModels::start(const Question& question) {
  Eight shift;
  for (Index k = 0; k < n_side_by_side; ++k) shift[k] = static_cast<float>(question.shift[k]);
  cpu::PerCpu<add_to_gradient>::run(arrays(), shift);
  product_.assign(product_.rows(), 0.0F);
  at_start_.copy(gradient_);
  best_gradient_.copy(gradient_);
  x_.assign(x_.rows(), 0.0F);
  best_x_.assign(best_x_.rows(), 0.0F);
  slope_.assign(slope_.rows(), 0.0F);
  inverse_.assign(inverse_.rows(), 0.0F);
  best_ = Eight{};
  n_fails_ = {};
  longest_look_ = longest_look;
  cpu::PerCpu<take_signs>::run(arrays(), running_);
  cpu::PerCpu<let_in>::run(arrays(), running_, Eight{});
  restart(Eight{} + 1.0F);
  for (Index k = 0; k < n_side_by_side; ++k) {
    target_[k] = std::max(static_cast<float>(question.target[k]), static_cast<float>(question.shrink[k]) * largest_[k]);
  }
  last_look_ = largest_;
}

void EightModels::restart(const Eight& which) {
  Eight out[3];
  cpu::PerCpu<steepest>::run(arrays(), which, eights(search_), out);
  squares_ = which > 0.0F ? out[0] : squares_;
  floor_ = which > 0.0F ? out[0] : floor_;
  largest_ = out[1];
  ridge_ = out[2];
  is_blind_ = which > 0.0F ? Eight{} : is_blind_;
}

// product += X'd X s; `sums`: the share of the means to be taken from it, and s'H s but for the ridge
void EightModels::multiply(const RowsOfEight& s, RowsOfEight& product, Eight* sums) {
  cpu::PerCpu<forth_and_back>::run(copy_, eights(d_), eights(s), eights(product), sums);
  ++n_products_;
  if (!has_intercept_) sums[0] = Eight{};
  sums[1] -= sums[0] * sums[0];
}

void EightModels::step() {
  Eight sums[2];
  multiply(search_, product_, sums);
  const Eight curvature = sums[1] + ridge_;
  // else a direction that the model does not see, as far as single precision can tell
  const auto is_seen = (curvature > 1e-6F * floor_) & (running_ > 0.0F);
  is_blind_ = is_seen ? Eight{} : Eight{} + 1.0F;
  const Eight length = is_seen ? squares_ / curvature : Eight{};
  Eight out[2];
  cpu::PerCpu<go>::run(arrays(), length, sums[0], eights(search_), eights(product_), out);
  const Eight keep = squares_ > 0.0F ? out[0] / squares_ : Eight{};
  squares_ = out[0];
  largest_ = out[1];
  floor_ = squares_ + keep * keep * floor_;
  cpu::PerCpu<turn>::run(arrays(), keep, eights(search_), eights(product_), &ridge_);
}

// Signs are looked at when all are done, and when one has gained a digit since they were.
bool EightModels::is_worth_a_look(int since) const {
  bool all = true;
  bool gained = false;
  for (Index k = 0; k < n_side_by_side; ++k) {
    if (running_[k] == 0.0F) continue;
    const bool is_done = largest_[k] <= target_[k] || is_blind_[k] != 0.0F;
    all = all && is_done;
    gained = gained || is_done || largest_[k] <= 0.1F * last_look_[k];
  }
  return all || (gained && since >= shortest_look);
}

void EightModels::look() {
  Eight changes[2];
  cpu::PerCpu<count_changes>::run(arrays(), largest_, changes);
  Eight which{};
  Eight threshold{};
  Eight gained{};
  float most = 0.0F;
  for (Index k = 0; k < n_side_by_side; ++k) {
    if (running_[k] == 0.0F) continue;
    // 1: on its way; -1: it has arrived, with wrong signs
    gained[k] = largest_[k] <= 2.0F * target_[k] ? -1.0F : (largest_[k] < 0.7F * last_look_[k] ? 1.0F : 0.0F);
    last_look_[k] = std::min(last_look_[k], largest_[k]);
    most = std::max(most, changes[0][k] + changes[1][k]);
    if (changes[0][k] + changes[1][k] > 0.0F) {
      which[k] = 1.0F;
      threshold[k] = (changes[0][k] > 0.0F ? 2.0F : 1.0F) * largest_[k];
    } else if (largest_[k] <= target_[k] || is_blind_[k] != 0.0F) {
      running_[k] = 0.0F;
    }
  }
  longest_look_ = most <= few_changes ? 2 * longest_look_ : longest_look;
  if (!any(which)) return;
  Eight stuck{};
  if (any(which > 0.0F ? changes[0] : Eight{})) {
    cpu::PerCpu<project>::run(arrays(), which, eights(trial_), eights(product_));
    unprojected_.copy(x_);
    go_trial();
    judge(which, gained, stuck);
    if (any(stuck)) shorten(stuck, gained);
  }
  cpu::PerCpu<let_in>::run(arrays(), stuck > 0.0F ? Eight{} : which, threshold);
  restart(which);
  product_.assign(product_.rows(), 0.0F);
}

// the whole of `trial_`
void EightModels::go_trial() {
  Eight sums[2];
  multiply(trial_, product_, sums);
  Eight unused[2];
  cpu::PerCpu<go>::run(arrays(), Eight{} + 1.0F, sums[0], eights(trial_), eights(product_), unused);
  cpu::PerCpu<hold>::run(arrays(), eights(trial_));
}

// The models in `which` that stand no higher than at their best, as far as single precision can tell; this is their
// best point then.
void EightModels::keep_best(const Eight& which, Eight& kept) {
  Eight value[2];
  cpu::PerCpu<add_value>::run(arrays(), eights(at_start_), value);
  kept = value[0] < best_ + rounding * value[1] ? which : Eight{};
  const Index count = std::ssize(columns_);
  cpu::PerCpu<choose>::run(count, kept, eights(x_), eights(best_x_));
  cpu::PerCpu<choose>::run(count, kept, eights(gradient_), eights(best_gradient_));
  best_ = ((kept > 0.0F) & (value[0] < best_)) ? value[0] : best_;
}

// Those that stand higher go back a part of the way: at once where that has happened before, else after some time.
void EightModels::judge(const Eight& which, const Eight& gained, Eight& stuck) {
  Eight kept;
  keep_best(which, kept);
  for (Index k = 0; k < n_side_by_side; ++k) {
    if (which[k] == 0.0F) continue;
    if (kept[k] != 0.0F || gained[k] > 0.0F) {
      n_fails_[k] = n_fails_[k] < patience ? 0 : patience;
    } else if (gained[k] < 0.0F || ++n_fails_[k] >= patience) {
      stuck[k] = 1.0F;
      n_fails_[k] = patience;
    }
  }
}

void EightModels::back_to_best(const Eight& which) {
  const Index count = std::ssize(columns_);
  cpu::PerCpu<choose>::run(count, which, eights(best_x_), eights(x_));
  cpu::PerCpu<choose>::run(count, which, eights(best_gradient_), eights(gradient_));
}

// From the best point only a part of the way, so that few coordinates stop: at a short one the model is lower (Moré &
// Toraldo 1991, "On the solution of large quadratic programming problems with bound constraints").
void EightModels::shorten(const Eight& which, const Eight& gained) {
  Eight open = which;
  float part = 1.0F;
  for (int n = 0; n < most_parts && any(open); ++n) {
    part *= 0.25F;
    cpu::PerCpu<go_part>::run(arrays(), open, part, eights(best_x_), eights(unprojected_), eights(trial_),
                              eights(product_));
    go_trial();
    Eight kept;
    keep_best(open, kept);
    open = kept > 0.0F ? Eight{} : open;
  }
  back_to_best(open);
  running_ = ((open > 0.0F) & (gained < 0.0F)) ? Eight{} : running_;  // rounding is all that is left
  cpu::PerCpu<take_signs>::run(arrays(), which);
}

}  // namespace normball
