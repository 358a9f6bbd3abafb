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

// e^x, in place
template <int Bytes>
NORMBALL_INLINE void exponentials(double* x, Index count) {
  using V = simd::Lanes<Bytes>;
  V value;
  Index i = 0;
  for (; i + simd::width<V> <= count; i += simd::width<V>) {
    simd::load(x + i, value);
    simd::exp(value, value);
    simd::store(value, x + i);
  }
  double rest[simd::width<V>] = {};
  std::copy(x + i, x + count, rest);
  simd::load(rest, value);
  simd::exp(value, value);
  simd::store(value, rest);
  std::copy_n(rest, count - i, x + i);
}

}  // namespace

RiskSums::RiskSums(const RiskSets& sets, const double* weights, const double* eta) : sets_(sets) {
  const Index n = sets.n_rows();
  Vector rest(static_cast<std::size_t>(n), 0.0);
  double widest = 0.0;
  for (Index i = 0; i < n; ++i) {
    if (!sets.counts(i)) continue;
    rest[i] = eta[i];
    widest = std::max(widest, std::abs(eta[i]));
  }
  Vector whole(rest.size(), 0.0);  // eta in units
  if (widest > 0.5 * unit) {
    for (Index i = 0; i < n; ++i) {
      whole[i] = std::nearbyint(rest[i] * (1.0 / unit));
      rest[i] -= whole[i] * unit;
    }
  }
  cpu::PerCpu<exponentials<64>, exponentials<32>, exponentials<16>>::run(rest.data(), n);
  choose_units(whole);
  const auto fill = [&](const std::vector<RiskSets::Member>& members, const Vector& units, Vector& out) {
    out.resize(members.size());
    for (std::size_t m = 0; m < members.size(); ++m) {
      const auto [row, at] = members[m];
      out[m] = weights[row] * rest[row] * power(whole[row] - units[at]);
    }
  };
  fill(sets.joining(), unit_of_cell_, of_joining_);
  fill(sets.leaving(), exponents_, of_leaving_);
  over_members(nullptr, totals_);
}

// the largest that have a part in a sum
void RiskSums::choose_units(const Vector& whole) {
  const Index n_cells = sets_.n_cells();
  unit_of_cell_.assign(static_cast<std::size_t>(n_cells), none);
  exponents_.assign(static_cast<std::size_t>(sets_.n_times()) + 1, none);
  from_last_.assign(unit_of_cell_.size() + 1, 0.0);
  to_time_.assign(unit_of_cell_.size(), 0.0);
  for (const auto& [row, cell] : sets_.joining()) unit_of_cell_[cell] = std::max(unit_of_cell_[cell], whole[row]);
  for (const auto& [row, time] : sets_.leaving()) exponents_[time] = std::max(exponents_[time], whole[row]);
  for (Index c = 0; c < n_cells; ++c) {
    double& own = unit_of_cell_[c];
    if (!sets_.starts_run(c) && unit_of_cell_[c - 1] != none) {
      from_last_[c] = power(std::min(0.0, unit_of_cell_[c - 1] - own));
      own = std::max(own, unit_of_cell_[c - 1]);
    }
    if (from_last_[c] != 1.0) changes_.push_back(c);
    double& exponent = exponents_[sets_.time_of_cell(c)];
    exponent = std::max(exponent, own);
  }
  changes_.push_back(n_cells);
  for (Index c = 0; c < n_cells; ++c) {
    if (unit_of_cell_[c] != none) to_time_[c] = power(unit_of_cell_[c] - exponents_[sets_.time_of_cell(c)]);
  }
}

void RiskSums::over_members(const double* v, Members& out) const {
  out.stay.assign(exponents_.size(), 0.0);
  out.leave.assign(exponents_.size(), 0.0);
  Vector running(of_joining_.size() + 1);  // where so many have joined
  const auto add = [&](const auto& value) {
    double sum = 0.0;
    for (std::size_t part = 0; part + 1 < changes_.size(); ++part) {
      const Index first = changes_[part];
      const Index last = changes_[part + 1];
      sum *= from_last_[first];
      running[sets_.joined(first)] = sum;
      for (Index m = sets_.joined(first); m < sets_.joined(last); ++m) {
        sum += of_joining_[m] * value(sets_.joining()[m].row);
        running[m + 1] = sum;
      }
      for (Index c = first; c < last; ++c) {
        out.stay[sets_.time_of_cell(c)] += to_time_[c] * running[sets_.joined(c + 1)];
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
  Vector cells(static_cast<std::size_t>(sets_.n_cells()));
  double running = 0.0;
  for (Index c = sets_.n_cells() - 1; c >= 0; --c) {
    running = running * from_last_[c + 1] + to_time_[c] * at.stay[sets_.time_of_cell(c)];
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
