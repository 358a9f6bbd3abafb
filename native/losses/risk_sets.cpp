#include "losses/risk_sets.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

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
  for (Index i = 0; i < n_rows; ++i, target += target_width) {
    Row row{.cell = -1, .late_cell = -1, .event = -1};
    const auto last = static_cast<Index>(target[1]);
    const bool has_event = target[2] != 0.0;
    if (weights[i] != 0.0) {
      const auto begin = static_cast<Index>(target[3]);
      place({.first = static_cast<Index>(target[0]),
             .last = last - (has_event ? 1 : 0),
             .begin = begin,
             .end = *std::ranges::upper_bound(begins, begin)},
            row);
      if (has_event) row.event = static_cast<std::int32_t>(last - 1);
    }
    rows_.push_back(row);
  }
  const auto no_cell = static_cast<std::int32_t>(n_cells());
  for (Row& row : rows_) {
    if (row.cell < 0) row.cell = no_cell;
    if (row.late_cell < 0) row.late_cell = no_cell;
    if (row.event < 0) row.event = static_cast<std::int32_t>(n_times_);
  }
  runs_.clear();
}

void RiskSets::place(const Interval& at_risk, Row& row) {
  const auto [first, last, begin, end] = at_risk;
  if (first >= last) return;
  if (first == begin) {
    row.cell = static_cast<std::int32_t>(run(begin, end, true) + end - last);
    return;
  }
  const auto from = static_cast<std::size_t>(first - begin);
  const auto to = static_cast<std::size_t>(last - 1 - begin);
  const auto length = static_cast<Index>(std::bit_floor(from ^ to));  // of the blocks; 0 where it is one time
  if (length == 0) {
    row.cell = static_cast<std::int32_t>(run(first, last, true));
    return;
  }
  const Index cut = begin + static_cast<Index>(to) / length * length;
  const Index stop = std::min(cut + length, end);
  row.cell = static_cast<std::int32_t>(run(cut, stop, true) + stop - last);
  row.late_cell = static_cast<std::int32_t>(run(cut - length, cut, false) + first - (cut - length));
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
  const Index n_cells = sets.n_cells();
  Vector whole(static_cast<std::size_t>(n), 0.0);  // eta in units
  Vector rest(whole.size(), 0.0);
  Vector of_cell(static_cast<std::size_t>(n_cells) + 1, none);
  exponents_.assign(static_cast<std::size_t>(sets.n_times()) + 1, none);
  for (Index i = 0; i < n; ++i) {
    if (!sets.counts(i)) continue;
    whole[i] = std::nearbyint(eta[i] * (1.0 / unit));
    rest[i] = eta[i] - whole[i] * unit;
    const RiskSets::Row& row = sets.row(i);
    of_cell[row.cell] = std::max(of_cell[row.cell], whole[i]);
    of_cell[row.late_cell] = std::max(of_cell[row.late_cell], whole[i]);
    exponents_[row.event] = std::max(exponents_[row.event], whole[i]);
  }
  cpu::PerCpu<exponentials<64>, exponentials<32>, exponentials<16>>::run(rest.data(), n);
  from_last_.assign(of_cell.size(), 0.0);
  to_time_.assign(of_cell.size(), 0.0);
  for (Index c = 0; c < n_cells; ++c) {
    if (!sets.starts_run(c) && of_cell[c - 1] != none) {
      from_last_[c] = 1.0;
      if (of_cell[c] != of_cell[c - 1]) {
        from_last_[c] = power(std::min(0.0, of_cell[c - 1] - of_cell[c]));
        of_cell[c] = std::max(of_cell[c], of_cell[c - 1]);
      }
    }
    double& exponent = exponents_[sets.time_of_cell(c)];
    exponent = std::max(exponent, of_cell[c]);
  }
  for (Index c = 0; c < n_cells; ++c) {
    if (of_cell[c] != none) to_time_[c] = power(of_cell[c] - exponents_[sets.time_of_cell(c)]);
  }
  factors_.assign(whole.size(), {.cell = 0.0, .late_cell = 0.0, .event = 0.0});
  for (Index i = 0; i < n; ++i) {
    if (!sets.counts(i)) continue;
    const RiskSets::Row& row = sets.row(i);
    const double size = weights[i] * rest[i];
    if (row.cell < n_cells) factors_[i].cell = size * power(whole[i] - of_cell[row.cell]);
    if (row.late_cell < n_cells) factors_[i].late_cell = size * power(whole[i] - of_cell[row.late_cell]);
    if (row.event < sets.n_times()) factors_[i].event = size * power(whole[i] - exponents_[row.event]);
  }
  over_members(nullptr, totals_);
}

void RiskSums::over_members(const double* v, Members& out) const {
  Vector cells(static_cast<std::size_t>(sets_.n_cells()) + 1, 0.0);
  out.stay.assign(exponents_.size(), 0.0);
  out.leave.assign(exponents_.size(), 0.0);
  for (Index i = 0; i < sets_.n_rows(); ++i) {
    const RiskSets::Row& row = sets_.row(i);
    const double value = v == nullptr ? 1.0 : v[i];
    cells[row.cell] += factors_[i].cell * value;
    cells[row.late_cell] += factors_[i].late_cell * value;
    out.leave[row.event] += factors_[i].event * value;
  }
  double running = 0.0;
  for (Index c = 0; c < sets_.n_cells(); ++c) {
    running = running * from_last_[c] + cells[c];
    out.stay[sets_.time_of_cell(c)] += to_time_[c] * running;
  }
}

void RiskSums::over_times(const Members& at, double* out) const {
  Vector cells(static_cast<std::size_t>(sets_.n_cells()) + 1, 0.0);
  double running = 0.0;
  for (Index c = sets_.n_cells() - 1; c >= 0; --c) {
    running = running * from_last_[c + 1] + to_time_[c] * at.stay[sets_.time_of_cell(c)];
    cells[c] = running;
  }
  for (Index i = 0; i < sets_.n_rows(); ++i) {
    const RiskSets::Row& row = sets_.row(i);
    out[i] = factors_[i].cell * cells[row.cell] + factors_[i].late_cell * cells[row.late_cell] +
             factors_[i].event * at.leave[row.event];
  }
}

}  // namespace normball
