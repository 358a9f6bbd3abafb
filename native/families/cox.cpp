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
        weights(weights),
        ties_(ties),
        n_tied_(static_cast<std::size_t>(sets.n_times()), 0),
        share_(n_tied_.size(), 0.0) {
    for (const auto& [row, t] : sets.leaving()) {
      ++n_tied_[t];
      share_[t] += weights[row];
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
  const double* const weights;

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

// the expected events of each row, which is the diagonal of the curvature: the sum over its times of the chance that
// an event there is its own
void expect(const Events& events, const RiskSums& sums, const Vector& totals, double* out) {
  RiskSums::Members rates = events.blank();
  for (std::size_t l = 0; l < totals.size(); ++l) {
    const auto& [t, weight, at_risk] = events.terms()[l];
    const double rate = weight / totals[l];
    rates.stay[t] += rate;
    rates.leave[t] += at_risk * rate;
  }
  sums.over_times(rates, out);
}

// of the terms: their logarithms less the eta of the events, and what the saturated point is apart from this one
void add_terms(const Events& events, const RiskSums& sums, const Vector& totals, const double* eta, RowSums& out) {
  const auto n_times = static_cast<std::size_t>(events.n_times());
  Vector inverse(n_times, 0.0);  // sum w^2 / (w e^eta)
  Vector centre(n_times, 0.0);
  for (std::size_t m = 0; m < events.sets.leaving().size(); ++m) {
    const auto [row, t] = events.sets.leaving()[m];
    centre[t] += events.weights[row] * eta[row];
    inverse[t] += events.weights[row] * (events.weights[row] / sums.of_leaving()[m]);
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
  RiskCoupling(const Events& events, const double* eta)
      : events_(events), eta_(eta, eta + events.sets.n_rows()), sums_(events.sets, events.weights, eta) {
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

  void project(const double* v, double* out) const override {
    RiskSums::Members members;
    sums_.over_members(v, members);
    for (const Term& term : terms_)
      *out++ = term.stay * members.stay[term.time] + term.leave * members.leave[term.time];
  }

  void take_back(const double* terms, double* out) const override {
    RiskSums::Members at = events_.blank();
    for (const Term& term : terms_) {
      at.stay[term.time] += term.stay * *terms;
      at.leave[term.time] += term.leave * *terms++;
    }
    Vector rows(eta_.size());
    sums_.over_times(at, rows.data());
    for (std::size_t i = 0; i < rows.size(); ++i) out[i] -= rows[i];
  }

  DualSums dual(const double* step, const double* eta, const double* dual) const override {
    const RiskSums reached(events_.sets, events_.weights, eta);
    DualSums out{.dual_pearson = divergence(step, eta, reached)};
    if (out.dual_pearson == infinity) return out;
    RowSums sums;
    const Vector totals = totals_of(events_, reached);
    add_terms(events_, reached, totals, eta, sums);
    out.pearson = sums.pearson;
    Vector residual(eta_.size());
    expect(events_, reached, totals, residual.data());
    for (const auto& [row, t] : events_.sets.leaving()) residual[row] -= events_.weights[row];
    for (std::size_t i = 0; i < residual.size(); ++i) {
      if (events_.weights[i] == 0.0) continue;
      const double apart = dual[i] - residual[i];
      out.distance += apart * apart / events_.weights[i];
      out.total += dual[i];
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

  // The model expects the chances q = pi + pi0 (delta - mean0 delta), pi before the step delta and pi0 at the eta of
  // the model: the sum over terms of the chi-square of q from the chances after the step, or infinity where one may be
  // negative. (M36)
  double divergence(const double* step, const double* eta, const RiskSums& reached) const {
    const Index n = events_.sets.n_rows();
    Vector before(static_cast<std::size_t>(n), 0.0);
    Vector values[6];  // what q / pi is made of, times delta or its square
    for (Vector& some : values) some = before;
    double least_step = infinity;
    double least_ratio = infinity;  // of e^before to e^eta
    for (Index i = 0; i < n; ++i) {
      if (!events_.sets.counts(i)) continue;
      const double delta = step[i];
      if (!(std::abs(delta) < widest_step) || !(std::abs(eta[i] - eta_[i]) < widest_step)) return infinity;
      const double own = std::exp(-delta);
      const double here = std::exp(eta_[i] - eta[i]);
      least_step = std::min(least_step, delta);
      least_ratio = std::min(least_ratio, own / here);
      before[i] = eta[i] - delta;
      values[0][i] = own * own;
      values[1][i] = own * here;
      values[2][i] = own * here * delta;
      values[3][i] = here * here;
      values[4][i] = here * here * delta;
      values[5][i] = here * here * delta * delta;
    }
    RiskSums::Members sums[6];
    for (int v = 0; v < 6; ++v) reached.over_members(values[v].data(), sums[v]);
    RiskSums::Members steps;
    sums_.over_members(step, steps);
    const RiskSums start(events_.sets, events_.weights, before.data());
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
  Vector eta_;
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
    const RiskSums sums(events_.sets, events_.weights, eta);
    RowSums out;
    const Vector totals = totals_of(events_, sums);
    add_terms(events_, sums, totals, eta, out);
    if (wanted.residual == nullptr && wanted.curvature == nullptr) return out;
    Vector expected(static_cast<std::size_t>(events_.sets.n_rows()));
    expect(events_, sums, totals, expected.data());
    if (wanted.curvature != nullptr) std::ranges::copy(expected, wanted.curvature);
    for (const auto& [row, t] : events_.sets.leaving()) expected[row] -= events_.weights[row];
    for (std::size_t i = 0; i < expected.size(); ++i) {
      out.residual += expected[i];
      if (events_.weights[i] != 0.0) out.squares += expected[i] * expected[i] / events_.weights[i];
    }
    if (wanted.residual != nullptr) std::ranges::copy(expected, wanted.residual);
    return out;
  }

  RowSums evaluate(Index /*first*/, Index /*count*/, const double* eta, const Wanted& wanted) const override {
    return evaluate(eta, wanted);
  }

  std::unique_ptr<const Coupling> coupling(const double* eta) const override {
    return std::make_unique<RiskCoupling>(events_, eta);
  }

  // without a step that led here there is no other dual point than the residual
  DualSums dual(const double* /*eta*/, double* /*dual*/) const override { return {.dual_pearson = infinity}; }

  TargetRange targets() const override {
    TargetRange range{.smallest = 0.0, .largest = 1.0};
    for (const auto& [row, t] : events_.sets.leaving()) range.mean += events_.weights[row];
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
