#include "losses/risk_sets.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "kernels/simd.hpp"

namespace normball {

namespace {

// in increasing order of key(item), each below n_keys; those with the same stay as they are
template <class Item, class Key>
void sort_by(std::vector<Item>& items, Index n_keys, const Key& key) {
  std::vector<Index> next(static_cast<std::size_t>(n_keys) + 1, 0);
  for (const Item& item : items) ++next[key(item) + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<Item> sorted(items.size());
  for (const Item& item : items) sorted[next[key(item)]++] = item;
  items.swap(sorted);
}

}  // namespace

RiskSets::RiskSets(const double* target, const double* weights, Index n_rows) {
  std::vector<Index> begins;
  for (Index i = 0; i < n_rows; ++i) {
    n_times_ = std::max(n_times_, static_cast<Index>(target[i * target_width + 1]));
    begins.push_back(static_cast<Index>(target[i * target_width + 3]));
  }
  std::ranges::sort(begins);
  const auto again = std::ranges::unique(begins);
  begins.erase(again.begin(), again.end());
  begins_stratum_.assign(static_cast<std::size_t>(n_times_) + 1, 0);
  for (const Index begin : begins) begins_stratum_[begin] = 1;
  begins.push_back(n_times_);
  for (Index i = 0; i < n_rows; ++i) {
    if (weights[i] == 0.0) continue;
    const double* const own = target + i * target_width;
    const auto row = static_cast<std::int32_t>(i);
    const auto last = static_cast<Index>(own[1]);
    const bool has_event = own[2] != 0.0;
    const auto begin = static_cast<Index>(own[3]);
    const Index n_joined = std::ssize(joining_);
    join({.first = static_cast<Index>(own[0]),
          .last = last - (has_event ? 1 : 0),
          .begin = begin,
          .end = *std::ranges::upper_bound(begins, begin)},
         row);
    if (has_event) leaving_.push_back({.place = row, .at = static_cast<std::int32_t>(last - 1)});
    if (has_event || std::ssize(joining_) > n_joined) rows_.push_back(row);
  }
  runs_.clear();
  sort_by(rows_, n_times_ + 1,
          [&](std::int32_t row) { return n_times_ - static_cast<Index>(target[row * target_width + 1]); });
  std::vector<std::int32_t> place_of(static_cast<std::size_t>(n_rows));
  for (const std::int32_t row : rows_) {
    place_of[row] = static_cast<std::int32_t>(std::ssize(weights_));
    weights_.push_back(weights[row]);
  }
  for (std::vector<Member>* members : {&joining_, &leaving_}) {
    for (Member& m : *members) m.place = place_of[m.place];
    sort_by(*members, std::max(n_cells(), n_times_), [](const Member& m) { return Index{m.at}; });
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

Vector RiskSets::in_order(const double* of_rows) const {
  Vector out(rows_.size());
  for (std::size_t k = 0; k < rows_.size(); ++k) out[k] = of_rows[rows_[k]];
  return out;
}

// until places are known, a member holds its row
void RiskSets::join(const Interval& at_risk, std::int32_t row) {
  const auto add = [&](Index cell) { joining_.push_back({.place = row, .at = static_cast<std::int32_t>(cell)}); };
  const auto [first, last, begin, end] = at_risk;
  if (first >= last) return;
  if (first == begin) return add(run(begin, end, true) + end - last);
  const auto from = static_cast<std::size_t>(first - begin);
  const auto to = static_cast<std::size_t>(last - 1 - begin);
  const auto length = static_cast<Index>(std::bit_floor(from ^ to));  // of the blocks; 0 where it is one time
  if (length == 0) return add(run(first, last, true));
  const Index cut = begin + static_cast<Index>(to) / length * length;
  const Index stop = std::min(cut + length, end);
  add(run(cut, stop, true) + stop - last);
  add(run(cut - length, cut, false) + first - (cut - length));
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

RiskSums::RiskSums(const RiskSets& sets, const double* eta)
    : sets_(sets), units_(&sets.ordinary()), eta_(sets.in_order(eta)) {
  Vector rest = eta_;
  double widest = 0.0;
  for (const double x : eta_) widest = std::max(widest, std::abs(x));
  const bool is_ordinary = !(widest > 0.5 * unit);
  Vector whole;  // eta in units
  if (!is_ordinary) {
    whole.resize(rest.size());
    for (std::size_t k = 0; k < rest.size(); ++k) {
      whole[k] = std::nearbyint(rest[k] * (1.0 / unit));
      rest[k] -= whole[k] * unit;
    }
    own_ = units_for(sets, whole);
    units_ = &own_;
  }
  replace<Exponential>(rest);
  for (std::size_t k = 0; k < rest.size(); ++k) rest[k] *= sets.weights()[k];
  const auto fill = [&](const std::vector<RiskSets::Member>& members, const Vector& units, Vector& out) {
    out.resize(members.size());
    for (std::size_t m = 0; m < members.size(); ++m) out[m] = rest[members[m].place];
    for (std::size_t m = 0; !is_ordinary && m < members.size(); ++m) {
      out[m] *= unit_power(whole[members[m].place] - units[members[m].at]);
    }
  };
  fill(sets.joining(), units_->of_cell, of_joining_);
  fill(sets.leaving(), units_->of_time, of_leaving_);
  constexpr double one = 1.0;
  add_up<1>([&](Index) { return &one; }, totals_);
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
  for (const auto& [place, cell] : sets.joining()) out.of_cell[cell] = std::max(out.of_cell[cell], whole[place]);
  for (const auto& [place, time] : sets.leaving()) out.of_time[time] = std::max(out.of_time[time], whole[place]);
  for (Index c = 0; c < n_cells; ++c) {
    double& own = out.of_cell[c];
    if (!sets.starts_run(c) && out.of_cell[c - 1] != none) {
      out.from_last[c] = unit_power(std::min(0.0, out.of_cell[c - 1] - own));
      own = std::max(own, out.of_cell[c - 1]);
    }
    if (out.from_last[c] != 1.0) out.changes.push_back(c);
    double& of_time = out.of_time[sets.time_of_cell(c)];
    of_time = std::max(of_time, own);
  }
  out.changes.push_back(n_cells);
  for (Index c = 0; c < n_cells; ++c) {
    if (out.of_cell[c] != none) out.to_time[c] = unit_power(out.of_cell[c] - out.of_time[sets.time_of_cell(c)]);
  }
  return out;
}

template <Index lanes, class Value>
void RiskSums::add_up(const Value& value, Members& out) const {
  const RiskSets::Units& units = *units_;
  out.stay.assign(lanes * units.of_time.size(), 0.0);
  out.leave.assign(lanes * units.of_time.size(), 0.0);
  Vector running(lanes * (of_joining_.size() + 1));  // where so many have joined
  double sums[lanes] = {};
  for (std::size_t part = 0; part + 1 < units.changes.size(); ++part) {
    const Index first = units.changes[part];
    const Index last = units.changes[part + 1];
    double* to = running.data() + lanes * sets_.joined(first);
    for (Index l = 0; l < lanes; ++l) to[l] = sums[l] *= units.from_last[first];
    for (Index m = sets_.joined(first); m < sets_.joined(last); ++m) {
      const double* const x = value(sets_.joining()[m].place);
      to += lanes;
      for (Index l = 0; l < lanes; ++l) to[l] = sums[l] += of_joining_[m] * x[l];
    }
    for (Index c = first; c < last; ++c) {
      const double* const sum = running.data() + lanes * sets_.joined(c + 1);
      double* const stay = out.stay.data() + lanes * sets_.time_of_cell(c);
      for (Index l = 0; l < lanes; ++l) stay[l] += units.to_time[c] * sum[l];
    }
  }
  for (std::size_t m = 0; m < of_leaving_.size(); ++m) {
    const auto [place, time] = sets_.leaving()[m];
    const double* const x = value(place);
    double* const leave = out.leave.data() + lanes * time;
    for (Index l = 0; l < lanes; ++l) leave[l] += of_leaving_[m] * x[l];
  }
}

template <Index lanes>
void RiskSums::over_members(const double* v, Members& out) const {
  add_up<lanes>([v](Index place) { return v + lanes * place; }, out);
}

template void RiskSums::over_members<1>(const double* v, Members& out) const;
template void RiskSums::over_members<4>(const double* v, Members& out) const;

void RiskSums::over_times(const Members& at, double* out) const {
  const RiskSets::Units& units = *units_;
  Vector cells(static_cast<std::size_t>(sets_.n_cells()));
  double running = 0.0;
  for (Index c = sets_.n_cells() - 1; c >= 0; --c) {
    running = running * units.from_last[c + 1] + units.to_time[c] * at.stay[sets_.time_of_cell(c)];
    cells[c] = running;
  }
  std::fill_n(out, sets_.n_places(), 0.0);
  for (std::size_t m = 0; m < of_joining_.size(); ++m) {
    const auto [place, cell] = sets_.joining()[m];
    out[place] += of_joining_[m] * cells[cell];
  }
  for (std::size_t m = 0; m < of_leaving_.size(); ++m) {
    const auto [place, time] = sets_.leaving()[m];
    out[place] += of_leaving_[m] * at.leave[time];
  }
}

}  // namespace normball
