// Cox's partial likelihood (Cox 1972), one term log sum w e^eta for each event over those at risk, where events at one
// time share a risk set (Breslow 1974) or are taken out of it by and by (Efron 1977). docs/mathematics.md (M33)-(M36)
#include <algorithm>
#include <cmath>

#include "losses/family.hpp"
#include "losses/risk_sets.hpp"

namespace normball {
namespace {

enum class Ties : std::uint8_t { efron, breslow };

// What the target and the weights of a problem fix.
class Events {
 public:
  Events(Ties ties, const double* target, const double* weights, Index n_rows)
      : sets(target, weights, n_rows),
        n_rows(n_rows),
        ties_(ties),
        n_tied_(static_cast<std::size_t>(sets.n_times()), 0),
        share_(n_tied_.size(), 0.0) {
    for (const auto& [place, t] : sets.leaving()) {
      ++n_tied_[t];
      share_[t] += sets.weights()[place];
    }
    for (Index t = 0; t < n_times(); ++t) {
      for_each_term(t, [&](double weight, double at_risk) {
        terms_.push_back({.time = t, .weight = weight, .at_risk = at_risk});
      });
    }
  }

  struct Term {
    Index time;
    double weight;
    double at_risk;  // the share of those who have their event there that still is
  };

  const RiskSets sets;
  const Index n_rows;

  Index n_times() const { return sets.n_times(); }
  double share(Index t) const { return share_[t]; }  // of the weights, of the events at a time
  bool is_tied(Index t) const { return ties_ == Ties::efron && n_tied_[t] > 1; }

  const std::vector<Term>& terms() const { return terms_; }  // of all times
  // of one: visit(weight, at_risk)
  template <class Visit>
  void for_each_term(Index t, const Visit& visit) const {
    const Index n = is_tied(t) ? n_tied_[t] : std::min<Index>(n_tied_[t], 1);
    for (Index l = 0; l < n; ++l) {
      const auto count = static_cast<double>(n);
      visit(share_[t] / count, (count - static_cast<double>(l)) / count);
    }
  }

  RiskSums::Members blank() const {
    const Vector zeros(static_cast<std::size_t>(n_times()) + 1, 0.0);
    return {.stay = zeros, .leave = zeros};
  }

 private:
  Ties ties_;
  std::vector<Index> n_tied_;
  Vector share_;
  std::vector<Term> terms_;
};

// what is at risk at each term
Vector totals_of(const Events& events, const RiskSums& sums) {
  Vector out;
  out.reserve(events.terms().size());
  for (const auto& [t, weight, at_risk] : events.terms()) {
    out.push_back(sums.totals().stay[t] + at_risk * sums.totals().leave[t]);
  }
  return out;
}

// The expected events of each place, which are the diagonal of the curvature: the sum over its times of the chance that
// an event there is its own.
Vector expected_events(const Events& events, const RiskSums& sums, const Vector& totals) {
  RiskSums::Members rates = events.blank();
  for (std::size_t l = 0; l < totals.size(); ++l) {
    const auto& [t, weight, at_risk] = events.terms()[l];
    const double rate = weight / totals[l];
    rates.stay[t] += rate;
    rates.leave[t] += at_risk * rate;
  }
  Vector out(static_cast<std::size_t>(events.sets.n_places()));
  sums.over_times(rates, out.data());
  return out;
}

// of the terms: their logarithms less the eta of the events, and what the saturated point is apart from this one
void add_terms(const Events& events, const RiskSums& sums, const Vector& totals, RowSums& out) {
  const auto n_times = static_cast<std::size_t>(events.n_times());
  Vector inverse(n_times, 0.0);  // sum w^2 / (w e^eta)
  Vector centre(n_times, 0.0);
  for (std::size_t m = 0; m < events.sets.leaving().size(); ++m) {
    const auto [place, t] = events.sets.leaving()[m];
    const double weight = events.sets.weights()[place];
    centre[t] += weight * sums.eta()[place];
    inverse[t] += weight * (weight / sums.of_leaving()[m]);
  }
  for (Index t = 0; t < events.n_times(); ++t) {
    if (events.share(t) == 0.0) continue;
    centre[t] = centre[t] / events.share(t) - RiskSums::unit * sums.exponent(t);
    inverse[t] /= events.share(t);
  }
  Vector logarithms = totals;
  take_logarithms(logarithms);
  for (std::size_t l = 0; l < totals.size(); ++l) {
    const auto& [t, weight, at_risk] = events.terms()[l];
    out.loss += weight * (logarithms[l] - centre[t]);
    const double chi_square = inverse[t] * (totals[l] / (at_risk * events.share(t))) - 1.0;
    out.pearson += weight * std::max(0.0, chi_square);
  }
}

// H = diag(d) - M'M at some eta. A row of M is the mean over a risk set; those of the tied events of one time span two
// directions, the sum over who stays and the sum over who leaves.
class RiskCoupling final : public Coupling {
 public:
  RiskCoupling(const Events& events, const double* eta) : events_(events), sums_(events.sets, eta) {
    for (Index t = 0; t < events.n_times(); ++t) {
      double stay = 0.0;
      double both = 0.0;
      double leave = 0.0;
      events.for_each_term(t, [&](double weight, double at_risk) {
        const double total = total_at(t, at_risk);
        const double square = weight / total / total;
        stay += square;
        both += at_risk * square;
        leave += at_risk * at_risk * square;
      });
      if (stay == 0.0) continue;
      const double root = std::sqrt(stay);
      terms_.push_back({.time = t, .stay = root, .leave = both / root});
      if (!events.is_tied(t)) continue;
      const double rest = leave - both / root * (both / root);
      terms_.push_back({.time = t, .stay = 0.0, .leave = std::sqrt(std::max(0.0, rest))});
    }
  }

  Index n_terms() const override { return std::ssize(terms_); }

  void project(const double* v, Index stride, Index count, double* out) const override {
    constexpr Index most = 4;
    const std::vector<std::int32_t>& rows = events_.sets.rows();
    Vector ordered(most * rows.size());
    for (; count >= most; count -= most, v += most * stride, out += most * n_terms()) {
      for (std::size_t k = 0; k < rows.size(); ++k) {
        for (Index l = 0; l < most; ++l) ordered[most * k + l] = v[l * stride + rows[k]];
      }
      project<most>(ordered.data(), out);
    }
    for (; count > 0; --count, v += stride, out += n_terms()) {
      for (std::size_t k = 0; k < rows.size(); ++k) ordered[k] = v[rows[k]];
      project<1>(ordered.data(), out);
    }
  }

  void take_back(const double* terms, double* out) const override {
    RiskSums::Members at = events_.blank();
    for (const Term& term : terms_) {
      at.stay[term.time] += term.stay * *terms;
      at.leave[term.time] += term.leave * *terms++;
    }
    Vector taken(events_.sets.rows().size());
    sums_.over_times(at, taken.data());
    for (std::size_t k = 0; k < taken.size(); ++k) out[events_.sets.rows()[k]] -= taken[k];
  }

  DualSums dual(const double* step, const double* eta, const double* dual) const override {
    const RiskSums reached(events_.sets, eta);
    DualSums out{.dual_pearson = divergence(events_.sets.in_order(step), reached)};
    if (out.dual_pearson == infinity) return out;
    RowSums sums;
    const Vector totals = totals_of(events_, reached);
    add_terms(events_, reached, totals, sums);
    out.pearson = sums.pearson;
    Vector residual = expected_events(events_, reached, totals);
    for (const auto& [place, t] : events_.sets.leaving()) residual[place] -= events_.sets.weights()[place];
    for (std::size_t k = 0; k < residual.size(); ++k) {
      const double value = dual[events_.sets.rows()[k]];
      const double apart = value - residual[k];
      out.distance += apart * apart / events_.sets.weights()[k];
      out.total += value;
    }
    return out;
  }

 private:
  struct Term {
    Index time;
    double stay;
    double leave;
  };

  double total_at(Index t, double at_risk) const { return sums_.totals().stay[t] + at_risk * sums_.totals().leave[t]; }

  template <Index lanes>
  void project(const double* ordered, double* out) const {
    RiskSums::Members members;
    sums_.over_members<lanes>(ordered, members);
    for (Index m = 0; m < n_terms(); ++m) {
      const Term& term = terms_[m];
      for (Index l = 0; l < lanes; ++l) {
        out[l * n_terms() + m] =
            term.stay * members.stay[lanes * term.time + l] + term.leave * members.leave[lanes * term.time + l];
      }
    }
  }

  // The model expects the chances q = pi + pi0 (delta - mean0 delta), pi before the step delta and pi0 at the eta of
  // the model: the sum over terms of the chi-square of q from the chances after the step, or infinity where one may be
  // negative. (M36)
  double divergence(const Vector& step, const RiskSums& reached) const {
    const auto n = static_cast<std::size_t>(events_.sets.n_places());
    Vector before(static_cast<std::size_t>(events_.n_rows), 0.0);
    Vector values[6];  // what q / pi is made of, times delta or its square
    for (Vector& some : values) some.resize(n);
    double least_step = infinity;
    double least_ratio = infinity;  // of e^before to e^eta
    for (std::size_t k = 0; k < n; ++k) {
      const double delta = step[k];
      const double back = sums_.eta()[k] - reached.eta()[k];
      if (!(std::abs(delta) < widest_step) || !(std::abs(back) < widest_step)) return infinity;
      const double own = std::exp(-delta);
      const double here = std::exp(back);
      least_step = std::min(least_step, delta);
      least_ratio = std::min(least_ratio, own / here);
      before[events_.sets.rows()[k]] = reached.eta()[k] - delta;
      values[0][k] = own * own;
      values[1][k] = own * here;
      values[2][k] = own * here * delta;
      values[3][k] = here * here;
      values[4][k] = here * here * delta;
      values[5][k] = here * here * delta * delta;
    }
    RiskSums::Members sums[6];
    for (int v = 0; v < 6; ++v) reached.over_members<1>(values[v].data(), sums[v]);
    RiskSums::Members steps;
    sums_.over_members<1>(step.data(), steps);
    const RiskSums start(events_.sets, before.data());
    double out = 0.0;
    for (Index t = 0; t < events_.n_times(); ++t) {
      const double to_start = std::exp(RiskSums::unit * (reached.exponent(t) - start.exponent(t)));
      const double to_here = std::exp(RiskSums::unit * (reached.exponent(t) - sums_.exponent(t)));
      events_.for_each_term(t, [&](double weight, double at_risk) {
        const auto of = [&](const RiskSums::Members& at) { return at.stay[t] + at_risk * at.leave[t]; };
        const double total = of(reached.totals());
        const double own = total / of(start.totals()) * to_start;
        const double here = total / of(sums_.totals()) * to_here;
        const double mean = of(steps) / of(sums_.totals());
        if (!(own / here * least_ratio + least_step - mean >= 0.0)) out = infinity;
        const double square = own * own * of(sums[0]) + 2.0 * own * here * (of(sums[2]) - mean * of(sums[1])) +
                              here * here * (of(sums[5]) - 2.0 * mean * of(sums[4]) + mean * mean * of(sums[3]));
        out += weight * std::max(0.0, square / total - 1.0);
      });
    }
    return std::isnan(out) ? infinity : out;
  }

  static constexpr double widest_step = 10.0;  // beyond it there is nothing to prove

  const Events& events_;
  RiskSums sums_;
  std::vector<Term> terms_;
};

template <Ties ties>
class CoxLoss final : public Loss {
 public:
  static constexpr LossTraits traits{.is_shift_invariant = true, .target_width = RiskSets::target_width};

  CoxLoss(const double* target, const double* weights, Index n_rows)
      : Loss(traits), events_(ties, target, weights, n_rows) {}

  RowSums evaluate(const double* eta, const Wanted& wanted) const override {
    const RiskSums sums(events_.sets, eta);
    RowSums out;
    const Vector totals = totals_of(events_, sums);
    add_terms(events_, sums, totals, out);
    if (wanted.residual == nullptr && wanted.curvature == nullptr) return out;
    Vector expected = expected_events(events_, sums, totals);
    if (wanted.curvature != nullptr) to_rows(expected, wanted.curvature);
    for (const auto& [place, t] : events_.sets.leaving()) expected[place] -= events_.sets.weights()[place];
    for (std::size_t k = 0; k < expected.size(); ++k) {
      out.residual += expected[k];
      out.squares += expected[k] * expected[k] / events_.sets.weights()[k];
    }
    if (wanted.residual != nullptr) to_rows(expected, wanted.residual);
    return out;
  }

  RowSums evaluate(Index /*first*/, Index /*count*/, const double* eta, const Wanted& wanted) const override {
    return evaluate(eta, wanted);
  }

  std::unique_ptr<const Coupling> coupling(const double* eta) const override {
    return std::make_unique<RiskCoupling>(events_, eta);
  }

  // Breslow's (1972) steps, the weight of each term over what is at risk, in the largest of their units so far
  Vector log_hazards(const double* eta) const override {
    const RiskSums sums(events_.sets, eta);
    const Vector totals = totals_of(events_, sums);
    Vector out(static_cast<std::size_t>(events_.n_times()), 0.0);
    for (std::size_t l = 0; l < totals.size(); ++l)
      out[events_.terms()[l].time] += events_.terms()[l].weight / totals[l];
    Vector exponents(out.size());
    constexpr double no_step = -1e300;
    for (Index t = 0; t < events_.n_times(); ++t) {
      const double own = out[t] > 0.0 ? -sums.exponent(t) : no_step;
      exponents[t] = own;
      if (events_.sets.begins_stratum(t)) continue;
      exponents[t] = std::max(own, exponents[t - 1]);
      out[t] = out[t] * unit_power(own - exponents[t]) + out[t - 1] * unit_power(exponents[t - 1] - exponents[t]);
    }
    take_logarithms(out);
    for (std::size_t t = 0; t < out.size(); ++t) out[t] += RiskSums::unit * exponents[t];
    return out;
  }

  // without a step that led here there is no other dual point than the residual
  DualSums dual(const double* /*eta*/, double* /*dual*/) const override { return {.dual_pearson = infinity}; }

  TargetRange targets() const override {
    TargetRange range{.smallest = 0.0, .largest = 1.0};
    for (const auto& [place, t] : events_.sets.leaving()) range.mean += events_.sets.weights()[place];
    return range;
  }

  // that of the saturated model, whose chances are the weights of the events at a time
  double constant() const override {
    double out = 0.0;
    for (Index t = 0; t < events_.n_times(); ++t) {
      events_.for_each_term(
          t, [&](double weight, double at_risk) { out -= weight * std::log(at_risk * events_.share(t)); });
    }
    return out;
  }

  double link(double /*mean*/) const override { return 0.0; }
  double curvature_at(double mean) const override { return mean; }
  double null_step(double /*mean*/, double /*residual*/, double /*curvature*/) const override { return 0.0; }

 private:
  // rows without a place have no part in anything
  void to_rows(const Vector& of_places, double* out) const {
    std::fill_n(out, events_.n_rows, 0.0);
    for (std::size_t k = 0; k < of_places.size(); ++k) out[events_.sets.rows()[k]] = of_places[k];
  }

  Events events_;
};

template <Ties ties>
Family cox(std::string_view name) noexcept {
  return {
      name, CoxLoss<ties>::traits,
      [](double /*parameter*/, const double* y, const double* weights, Index n_rows) -> std::unique_ptr<const Loss> {
        return std::make_unique<CoxLoss<ties>>(y, weights, n_rows);
      }};
}

const Family efron = cox<Ties::efron>("cox");
const Family breslow = cox<Ties::breslow>("cox(breslow)");

}  // namespace
}  // namespace normball
