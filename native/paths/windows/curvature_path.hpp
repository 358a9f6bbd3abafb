// The quadratic models of a tall problem: curvatures known at a few places on the axis of log(lambda), along which
// they change smoothly, and the minimiser of the model between those places.
#pragma once

#include "core/blas.hpp"
#include "paths/windows/window_values.hpp"

namespace normball {

// What one step showed of the true curvature: how the gradient changed along it.
struct Secant {
  Vector step;
  Vector change;
  double intercept_step = 0.0;
  double intercept_change = 0.0;
};

// The curvatures of one problem, or of all problems that share them, from the largest lambda down.
class CurvaturePath {
 public:
  using Known = std::shared_ptr<WindowCurvature>;

  // the curvature at a position: first + share * (second - first)
  struct Mix {
    const WindowCurvature* first = nullptr;
    const WindowCurvature* second = nullptr;
    double share = 0.0;
    bool operator==(const Mix&) const = default;
  };

  bool empty() const { return known_.empty(); }
  void place(double position) {  // all that is known so far stands there
    for (const Known& curvature : known_) curvature->position = position;
  }

  void insert(Known curvature) {
    const auto place =
        std::ranges::find_if(known_, [&](const Known& other) { return other->position <= curvature->position; });
    if (place != known_.end() && (*place)->position == curvature->position) {
      *place = std::move(curvature);
    } else {
      known_.insert(place, std::move(curvature));
    }
    if (known_.size() > most_known) known_.erase(known_.begin());
  }

  // nothing will be asked above this position any more: two curvatures there are enough to go on from
  void forget_above(double position) {
    while (known_.size() > 2 && known_[2]->position >= position) known_.erase(known_.begin());
  }

  double distance(double position) const {
    double nearest = infinity;
    for (const Known& other : known_) nearest = std::min(nearest, std::abs(other->position - position));
    return nearest;
  }

  // linear between the two neighbours, and beyond the last one by at most half of its distance to the one before
  Mix at(double position) const {
    const WindowCurvature* last = known_.back().get();
    if (known_.size() == 1) return {.first = last, .second = last};
    if (position >= known_.front()->position) return {.first = known_.front().get(), .second = known_.front().get()};
    std::size_t i = 1;
    while (i + 1 < known_.size() && known_[i]->position > position) ++i;
    const WindowCurvature* before = known_[i - 1].get();
    const WindowCurvature* after = known_[i].get();
    const double share = (before->position - position) / (before->position - after->position);
    return {.first = before, .second = after, .share = std::min(share, 1.5)};
  }

 private:
  static constexpr std::size_t most_known = 12;
  std::vector<Known> known_;
};

// One worker's model: a curvature put together, and the solver that knows its factors.
class WindowModel {
 public:
  void forget() { mix_ = {}; }  // curvatures were replaced

  void set(const CurvaturePath::Mix& mix, const WindowValues& values) {
    if (mix == mix_ && values.frame() == frame_) return;
    if (mix != mix_) blend(mix);
    mix_ = mix;
    frame_ = values.frame();
    current_ = values.own(shared_, own_);
  }

  // The model's minimiser from `at`: coefficients go to `coef`; returns the step of the intercept. Where a secant is
  // known the model agrees with it.
  double minimise(const WindowValues& values, const Iterate& at, const WindowTerms& terms, const Secant* secant,
                  double tolerance, Vector& coef) {
    const auto p = static_cast<Index>(at.coef.size());
    const bool profile = values.profiles_intercept();
    values.set_means(*current_, mean_);
    total_ = current_->total;
    const double* matrix = secant == nullptr ? current_->matrix.data() : corrected(*secant, profile);
    coef = at.coef;
    gradient_ = at.gradient;
    double step = profile ? -at.intercept_gradient / total_ : 0.0;
    if (profile) kernels::axpy(step, mean_.data(), 0.0, gradient_.data(), p);
    terms.minimise(matrix, coef, gradient_, tolerance);
    for (Index j = 0; profile && j < p; ++j) step -= mean_[j] * (coef[j] - at.coef[j]) / total_;
    return step;
  }

 private:
  void blend(const CurvaturePath::Mix& mix) {
    shared_ = mix.first;
    if (mix.share == 0.0 || mix.first == mix.second) return;
    blend_.matrix.resize(mix.first->matrix.size());
    blend_.sums.resize(mix.first->sums.size());
    const double a = 1.0 - mix.share;
    const double b = mix.share;
    for (std::size_t i = 0; i < blend_.matrix.size(); ++i) {
      blend_.matrix[i] = a * mix.first->matrix[i] + b * mix.second->matrix[i];
    }
    for (std::size_t j = 0; j < blend_.sums.size(); ++j) {
      blend_.sums[j] = a * mix.first->sums[j] + b * mix.second->sums[j];
    }
    blend_.total = a * mix.first->total + b * mix.second->total;
    shared_ = &blend_;
  }

  // The BFGS update (Nocedal & Wright 2006, 6.19), the intercept being one more coordinate. One direction along which a
  // blended curvature is far off, a skewed column say, would otherwise hold up every step to come.
  const double* corrected(const Secant& secant, bool is_profiled) {
    const auto p = static_cast<Index>(mean_.size());
    corrected_ = current_->matrix;
    if (is_profiled) add_outer(1.0 / total_, mean_);
    image_.resize(mean_.size());
    linalg::gemv(false, p, p, corrected_.data(), p, secant.step.data(), image_.data());
    kernels::axpy(secant.intercept_step, mean_.data(), 0.0, image_.data(), p);
    const double image = kernels::dot(mean_.data(), 0.0, secant.step.data(), p) + total_ * secant.intercept_step;
    const auto along = [&](const Vector& v, double intercept) {
      return kernels::dot(v.data(), 0.0, secant.step.data(), p) + intercept * secant.intercept_step;
    };
    const double modelled = along(image_, image);
    const double seen = along(secant.change, secant.intercept_change);
    if (!(modelled > 0.0 && seen > 0.01 * modelled)) return current_->matrix.data();
    add_outer(1.0 / seen, secant.change);
    add_outer(-1.0 / modelled, image_);
    if (!is_profiled) return corrected_.data();
    kernels::axpy(secant.intercept_change / seen, secant.change.data(), 0.0, mean_.data(), p);
    kernels::axpy(-image / modelled, image_.data(), 0.0, mean_.data(), p);
    total_ += secant.intercept_change * secant.intercept_change / seen - image * image / modelled;
    add_outer(-1.0 / total_, mean_);
    return corrected_.data();
  }

  void add_outer(double factor, const Vector& v) {
    const auto p = static_cast<Index>(v.size());
    for (Index j = 0; j < p; ++j) kernels::axpy(factor * v[j], v.data(), 0.0, corrected_.data() + j * p, p);
  }

  CurvaturePath::Mix mix_;
  const void* frame_ = nullptr;  // whose values `current_` is in
  WindowCurvature blend_;
  const WindowCurvature* shared_ = nullptr;
  WindowCurvature own_;
  const WindowCurvature* current_ = nullptr;
  Vector corrected_;
  Vector image_;
  Vector mean_;  // 0 where there is no intercept to profile out
  double total_ = 0.0;
  Vector gradient_;
};

}  // namespace normball
