// Who is at risk when. The distinct times of events are numbered, stratum after stratum; a row is at risk at those of
// [first, last), and its event, if it has one, happens at the last of these.
//
// Sums over risk sets, and over the times of a row, are made of running sums that only ever add: rows that are at risk
// from the beginning of their stratum share one, which runs from its last time to its first; the interval of a row that
// enters late is cut at the multiple of the largest power of two inside it, into the end of one dyadic block and the
// beginning of the next. So nothing cancels, however much the terms of a sum differ. (M33)
//
// All of it goes by places: those of the rows that have a part in any sum, the last at risk first. Sums then go from
// one end of memory to the other, whatever the order of the rows.
#pragma once

#include <map>
#include <numbers>
#include <tuple>

#include "core/types.hpp"

namespace normball {

class RiskSets {
 public:
  static constexpr Index target_width = 4;  // first, last, whether it has an event, the first time of its stratum

  RiskSets(const double* target, const double* weights, Index n_rows);

  Index n_places() const { return std::ssize(rows_); }
  const std::vector<std::int32_t>& rows() const { return rows_; }  // at these places
  const Vector& weights() const { return weights_; }               // of these places; none is 0
  Vector in_order(const double* of_rows) const;                    // by places
  Index n_times() const { return n_times_; }
  bool begins_stratum(Index t) const { return begins_stratum_[t] != 0; }
  Index n_cells() const { return std::ssize(time_of_cell_); }
  Index time_of_cell(Index c) const { return time_of_cell_[c]; }
  bool starts_run(Index c) const { return starts_run_[c] != 0; }  // the sum that runs over the cells begins anew here

  // A place and where it has a part in sums, in the order of these.
  struct Member {
    std::int32_t place;
    std::int32_t at;
  };
  // at the cells where rows join running sums, those that enter late at two of them
  const std::vector<Member>& joining() const { return joining_; }
  Index joined(Index c) const { return joined_[c]; }  // how many join at cells before this one
  // at the time of their event, at which they leave: they have no part in the running sum there
  const std::vector<Member>& leaving() const { return leaving_; }

  // In what units sums over them are, powers of e^512 log 2: of each cell and of each time.
  struct Units {
    Vector of_cell;
    Vector of_time;
    Vector from_last;            // the unit of the cell before, in that of this one; 0 where a run starts
    std::vector<Index> changes;  // the cells where that is not 1, and the number of cells
    Vector to_time;              // the unit of the cell, in that of its time
  };
  const Units& ordinary() const { return ordinary_; }  // all are 1

 private:
  struct Interval {
    Index first;
    Index last;
    Index begin;  // of the stratum's times
    Index end;
  };

  void join(const Interval& at_risk, std::int32_t row);
  Index run(Index first, Index last, bool descends);  // its first cell

  Index n_times_ = 0;
  std::vector<std::uint8_t> begins_stratum_;
  std::vector<std::int32_t> rows_;
  Vector weights_;
  std::vector<Member> joining_;
  std::vector<Member> leaving_;
  std::vector<Index> joined_;
  Units ordinary_;
  std::vector<std::int32_t> time_of_cell_;
  std::vector<std::uint8_t> starts_run_;
  std::map<std::tuple<Index, Index, bool>, Index> runs_;
};

// The sums over risk sets at some eta, weighted by w e^eta. They are in units of 512 log 2 of eta, one for each time,
// so that any eta will do.
class RiskSums {
 public:
  static constexpr double unit = 512.0 * std::numbers::ln2;

  RiskSums(const RiskSets& sets, const double* eta);
  RiskSums(const RiskSums&) = delete;
  RiskSums& operator=(const RiskSums&) = delete;
  ~RiskSums() = default;

  // a sum over those at risk at a time: of those who stay, and of those who have their event
  struct Members {
    Vector stay;
    Vector leave;
  };
  // of w e^eta v, over e^(unit * exponent); of so many v side by side
  template <Index lanes>
  void over_members(const double* v, Members& out) const;
  const Members& totals() const { return totals_; }
  double exponent(Index t) const { return units_->of_time[t]; }
  // out = w e^eta times the sum over the times of each place, over e^(unit * exponent) in turn
  void over_times(const Members& at, double* out) const;

  const Vector& eta() const { return eta_; }  // of the places
  // w e^eta of those leaving, in the unit of that time
  const Vector& of_leaving() const { return of_leaving_; }

 private:
  static RiskSets::Units units_for(const RiskSets& sets, const Vector& whole);

  // value(place)[lane]
  template <Index lanes, class Value>
  void add_up(const Value& value, Members& out) const;

  const RiskSets& sets_;
  RiskSets::Units own_;  // where the ordinary ones do not do
  const RiskSets::Units* units_;
  Vector eta_;
  Vector of_joining_;  // w e^eta in the unit of the cell
  Vector of_leaving_;  // in that of the time
  Members totals_;
};

// e^(unit * difference), where the difference is a whole number and not positive: below -1 beyond all digits
inline double unit_power(double difference) { return difference == 0.0 ? 1.0 : (difference == -1.0 ? 0x1p-512 : 0.0); }

// the logarithms of positive numbers, in place
void take_logarithms(Vector& x);

}  // namespace normball
