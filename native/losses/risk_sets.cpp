#include "losses/risk_sets.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "kernels/simd.hpp"

namespace normball {

RiskSets::RiskSets(const double* target, const double* weights, Index n_rows) {
  std::vector<Index> begins;
  for (Index i = 0; i < n_rows; ++i) {
    n_times_ = std::max(n_times_, static_cast<Index>(target[i * target_width + 1]));
    begins.push_back(static_cast<Index>(target[i * target_width + 3]));
  }
  std::ranges::sort(begins);
  const auto again = std::ranges::unique(begins);
  begins.erase(again.begin(), again.end());
  begins.push_back(n_times_);
  counts_.assign(static_cast<std::size_t>(n_rows), 0);
  for (Index i = 0; i < n_rows; ++i, target += target_width) {
    if (weights[i] == 0.0) continue;
    const auto row = static_cast<std::int32_t>(i);
    const auto last = static_cast<Index>(target[1]);
    const bool has_event = target[2] != 0.0;
    const auto begin = static_cast<Index>(target[3]);
    place({.first = static_cast<Index>(target[0]),
           .last = last - (has_event ? 1 : 0),
           .begin = begin,
           .end = *std::ranges::upper_bound(begins, begin)},
          row);
    if (has_event) leaving_.push_back({.row = row, .at = static_cast<std::int32_t>(last - 1)});
  }
  runs_.clear();
  for (std::vector<Member>* members : {&joining_, &leaving_}) {
    std::ranges::sort(*members, {}, [](const Member& m) { return std::pair(m.at, m.row); });
    for (const Member& m : *members) counts_[m.row] = 1;
  }
  joined_.assign(static_cast<std::size_t>(n_cells()) + 1, 0);
  for (const Member& m : joining_) ++joined_[m.at + 1];
  std::partial_sum(joined_.begin(), joined_.end(), joined_.begin());
  ordinary_.of_cell.assign(time_of_cell_.size(), 0.0);
  ordinary_.of_time.assign(static_cast<std::size_t>(n_times_) + 1, 0.0);
  ordinary_.to_time.assign(time_of_cell_.size(), 1.0);
  for (Index c = 0; c < n_cells(); ++c) {
    ordinary_.from_last.push_back(starts_run(c) ? 0.0 : 1.0);
    if (starts_run(c)) ordinary_.changes.push_back(c);
  }
  ordinary_.from_last.push_back(0.0);
  ordinary_.changes.push_back(n_cells());
}

void RiskSets::place(const Interval& at_risk, std::int32_t row) {
  const auto join = [&](Index cell) { joining_.push_back({.row = row, .at = static_cast<std::int32_t>(cell)}); };
  const auto [first, last, begin, end] = at_risk;
  if (first >= last) return;
  if (first == begin) return join(run(begin, end, true) + end - last);
  const auto from = static_cast<std::size_t>(first - begin);
  const auto to = static_cast<std::size_t>(last - 1 - begin);
  const auto length = static_cast<Index>(std::bit_floor(from ^ to));  // of the blocks; 0 where it is one time
  if (length == 0) return join(run(first, last, true));
  const Index cut = begin + static_cast<Index>(to) / length * length;
  const Index stop = std::min(cut + length, end);
  join(run(cut, stop, true) + stop - last);
  join(run(cut - length, cut, false) + first - (cut - length));
}

Index RiskSets::run(Index first, Index last, bool descends) {
  const auto [known, is_new] = runs_.try_emplace({first, last, descends}, n_cells());
  for (Index t = first; is_new && t < last; ++t) {
    time_of_cell_.push_back(static_cast<std::int32_t>(descends ? last - 1 - (t - first) : t));
    starts_run_.push_back(t == first ? 1 : 0);
  }
  return known->second;
}

namespace {

constexpr double none = -1e300;  // the exponent of nothing

// e^(unit * difference), where the difference is a whole number and not positive: below -1 beyond all digits
double power(double difference) { return difference == 0.0 ? 1.0 : (difference == -1.0 ? 0x1p-512 : 0.0); }

struct Exponential {
  template <class V>
  NORMBALL_INLINE void operator()(const V& x, V& out) const {
    simd::exp(x, out);
  }
};

struct Logarithm {
  template <class V>
  NORMBALL_INLINE void operator()(const V& x, V& out) const {
    simd::log(x, out);
  }
};

// Formula{}(x, out) of so many numbers, in place
template <class Formula, int Bytes>
NORMBALL_INLINE void replace_all(double* x, Index count) {
  using V = simd::Lanes<Bytes>;
  V value;
  Index i = 0;
  for (; i + simd::width<V> <= count; i += simd::width<V>) {
    simd::load(x + i, value);
    Formula{}(value, value);
    simd::store(value, x + i);
  }
  double rest[simd::width<V>] = {};
  std::copy(x + i, x + count, rest);
  simd::load(rest, value);
  Formula{}(value, value);
  simd::store(value, rest);
  std::copy_n(rest, count - i, x + i);
}

template <class Formula>
void replace(Vector& x) {
  cpu::PerCpu<replace_all<Formula, 64>, replace_all<Formula, 32>, replace_all<Formula, 16>>::run(x.data(),
                                                                                                 std::ssize(x));
}

}  // namespace

void take_logarithms(Vector& x) { replace<Logarithm>(x); }

RiskSums::RiskSums(const RiskSets& sets, const double* weights, const double* eta)
    : sets_(sets), units_(&sets.ordinary()) {
  Vector rest(static_cast<std::size_t>(sets.n_rows()), 0.0);
  double widest = 0.0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (!sets.counts(static_cast<Index>(i))) continue;
    rest[i] = eta[i];
    widest = std::max(widest, std::abs(eta[i]));
  }
  const bool is_ordinary = !(widest > 0.5 * unit);
  Vector whole;  // eta in units
  if (!is_ordinary) {
    whole.resize(rest.size());
    for (std::size_t i = 0; i < rest.size(); ++i) {
      whole[i] = std::nearbyint(rest[i] * (1.0 / unit));
      rest[i] -= whole[i] * unit;
    }
    own_ = units_for(sets, whole);
    units_ = &own_;
  }
  replace<Exponential>(rest);
  for (std::size_t i = 0; i < rest.size(); ++i) rest[i] *= weights[i];
  const auto fill = [&](const std::vector<RiskSets::Member>& members, const Vector& units, Vector& out) {
    out.resize(members.size());
    for (std::size_t m = 0; m < members.size(); ++m) out[m] = rest[members[m].row];
    for (std::size_t m = 0; !is_ordinary && m < members.size(); ++m) {
      out[m] *= power(whole[members[m].row] - units[members[m].at]);
    }
  };
  fill(sets.joining(), units_->of_cell, of_joining_);
  fill(sets.leaving(), units_->of_time, of_leaving_);
  over_members(nullptr, totals_);
}

// the largest that have a part in a sum
RiskSets::Units RiskSums::units_for(const RiskSets& sets, const Vector& whole) {
  const Index n_cells = sets.n_cells();
  const auto count = static_cast<std::size_t>(n_cells);
  RiskSets::Units out{.of_cell = Vector(count, none),
                      .of_time = Vector(static_cast<std::size_t>(sets.n_times()) + 1, none),
                      .from_last = Vector(count + 1, 0.0),
                      .changes = {},
                      .to_time = Vector(count, 0.0)};
  for (const auto& [row, cell] : sets.joining()) out.of_cell[cell] = std::max(out.of_cell[cell], whole[row]);
  for (const auto& [row, time] : sets.leaving()) out.of_time[time] = std::max(out.of_time[time], whole[row]);
  for (Index c = 0; c < n_cells; ++c) {
    double& own = out.of_cell[c];
    if (!sets.starts_run(c) && out.of_cell[c - 1] != none) {
      out.from_last[c] = power(std::min(0.0, out.of_cell[c - 1] - own));
      own = std::max(own, out.of_cell[c - 1]);
    }
    if (out.from_last[c] != 1.0) out.changes.push_back(c);
    double& of_time = out.of_time[sets.time_of_cell(c)];
    of_time = std::max(of_time, own);
  }
  out.changes.push_back(n_cells);
  for (Index c = 0; c < n_cells; ++c) {
    if (out.of_cell[c] != none) out.to_time[c] = power(out.of_cell[c] - out.of_time[sets.time_of_cell(c)]);
  }
  return out;
}

void RiskSums::over_members(const double* v, Members& out) const {
  const RiskSets::Units& units = *units_;
  out.stay.assign(units.of_time.size(), 0.0);
  out.leave.assign(units.of_time.size(), 0.0);
  Vector running(of_joining_.size() + 1);  // where so many have joined
  const auto add = [&](const auto& value) {
    double sum = 0.0;
    for (std::size_t part = 0; part + 1 < units.changes.size(); ++part) {
      const Index first = units.changes[part];
      const Index last = units.changes[part + 1];
      sum *= units.from_last[first];
      running[sets_.joined(first)] = sum;
      for (Index m = sets_.joined(first); m < sets_.joined(last); ++m) {
        sum += of_joining_[m] * value(sets_.joining()[m].row);
        running[m + 1] = sum;
      }
      for (Index c = first; c < last; ++c) {
        out.stay[sets_.time_of_cell(c)] += units.to_time[c] * running[sets_.joined(c + 1)];
      }
    }
    for (std::size_t m = 0; m < of_leaving_.size(); ++m) {
      const auto [row, time] = sets_.leaving()[m];
      out.leave[time] += of_leaving_[m] * value(row);
    }
  };
  v == nullptr ? add([](Index) { return 1.0; }) : add([v](Index row) { return v[row]; });
}

void RiskSums::over_times(const Members& at, double* out) const {
  const RiskSets::Units& units = *units_;
  Vector cells(static_cast<std::size_t>(sets_.n_cells()));
  double running = 0.0;
  for (Index c = sets_.n_cells() - 1; c >= 0; --c) {
    running = running * units.from_last[c + 1] + units.to_time[c] * at.stay[sets_.time_of_cell(c)];
    cells[c] = running;
  }
  std::fill_n(out, sets_.n_rows(), 0.0);
  for (std::size_t m = 0; m < of_joining_.size(); ++m) {
    const auto [row, cell] = sets_.joining()[m];
    out[row] += of_joining_[m] * cells[cell];
  }
  for (std::size_t m = 0; m < of_leaving_.size(); ++m) {
    const auto [row, time] = sets_.leaving()[m];
    out[row] += of_leaving_[m] * at.leave[time];
  }
}

}  // namespace normball
