#include "problem/duplicates.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <utility>

namespace normball {
namespace {

class Duplicates {
 public:
  Duplicates(const Design& design, const Specification& spec, Threads& threads)
      : design_(design), spec_(spec), threads_(threads) {}

  Vector factors() {
    const bool is_shared =
        spec_.penalty_factors.is_shared() && spec_.lower_bounds.is_shared() && spec_.upper_bounds.is_shared();
    const Index n_rows = is_shared ? 1 : spec_.n_problems;
    Vector factors;
    for (Index k = 0; k < n_rows; ++k) {
      const double* own = spec_.penalty_factors.of(k);
      factors.insert(factors.end(), own, own + spec_.n_features);
    }
    if (spec_.l1_ratio != 1.0) return factors;
    const std::vector<std::vector<Index>> alike = groups(factors);
    const bool has_opposites = design_.is_sparse() && spec_.fit_intercept;
    const std::vector<std::vector<Index>> unlike =
        has_opposites ? opposites(factors) : std::vector<std::vector<Index>>();
    for (Index k = 0; k < n_rows; ++k) {
      double* own = factors.data() + k * spec_.n_features;
      const Penalty penalty = spec_.penalty_of(k);
      for (const std::vector<Index>& group : alike) {
        drop_from(group, penalty, own,
                  [this](Index a, const Form& of_a, Index b, const Form& of_b) { return is_copy(a, of_a, b, of_b); });
      }
      for (const std::vector<Index>& group : unlike) {
        drop_from(group, penalty, own,
                  [this](Index a, const Form&, Index b, const Form&) { return is_opposite(a, b); });
      }
    }
    return factors;
  }

 private:
  // A column less its first value (without an intercept: less nothing), in units of its first value that is not 0 then:
  // the same for all columns of the same line.
  struct Form {
    double origin = 0.0;
    double unit = 0.0;
  };

  Form form(Index j) const {
    Form found;
    bool is_first = true;
    for_first_entries(design_, j, spec_.n_rows, [&](Index, double x) {
      if (is_first && has_origin()) found.origin = x;
      is_first = false;
      found.unit = x - found.origin;
      return found.unit == 0.0;
    });
    return found;
  }

  // a sparse column is compared entry by entry, its zeros stay where they are
  bool has_origin() const { return !design_.is_sparse() && spec_.fit_intercept; }

  // Columns that agree in their first entries agree in this key, but for rounding; then they are not found.
  std::uint64_t key(Index j, Index n_first) const {
    auto hash = static_cast<std::uint64_t>(design_.n_entries(j));
    Form seen;
    bool is_first = true;
    for_first_entries(design_, j, n_first, [&](Index i, double x) {
      if (is_first && has_origin()) seen.origin = x;
      is_first = false;
      if (seen.unit == 0.0) seen.unit = x - seen.origin;
      const double value = seen.unit == 0.0 ? 0.0 : (x - seen.origin) / seen.unit;
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value) + 0.0F);  // -0 is 0
      hash ^= bits + (static_cast<std::uint64_t>(i) << 32U);
      hash *= 0x9E3779B97F4A7C15U;  // Knuth 1998, section 6.4
      hash ^= hash >> 29U;
      return true;
    });
    return hash;
  }

  // by any problem
  bool is_used(const Vector& factors, Index j) const {
    for (auto at = static_cast<std::size_t>(j); at < factors.size(); at += spec_.n_features) {
      if (factors[at] != infinity) return true;
    }
    return false;
  }

  // Sets of columns that may be duplicates of each other. Most columns differ from all others in their first entries,
  // few need to be read in full.
  std::vector<std::vector<Index>> groups(const Vector& factors) {
    std::vector<Index> open;
    for (Index j = 0; j < spec_.n_features; ++j) {
      if (is_used(factors, j)) open.push_back(j);
    }
    std::vector<std::pair<std::uint64_t, Index>> keyed;
    Index longest = spec_.n_rows;
    for (Index n_first = 8; n_first < 8 * longest && !open.empty(); n_first *= 8) {
      keyed.resize(open.size());
      threads_.parallel_for(static_cast<Index>(open.size()) / chunk + 1, [&](Index part) {
        const std::size_t end = std::min(open.size(), static_cast<std::size_t>((part + 1) * chunk));
        for (auto c = static_cast<std::size_t>(part * chunk); c < end; ++c) keyed[c] = {key(open[c], n_first), open[c]};
      });
      keep_shared(keyed);
      open.clear();
      longest = 0;
      for (const auto& [hash, j] : keyed) {
        open.push_back(j);
        longest = std::max(longest, design_.n_entries(j));
      }
    }
    std::vector<std::vector<Index>> found;
    for (std::size_t c = 0; c < keyed.size(); ++c) {
      if (c == 0 || keyed[c].first != keyed[c - 1].first) found.emplace_back();
      found.back().push_back(keyed[c].second);
    }
    return found;
  }

  // those whose key another one has, sorted
  static void keep_shared(std::vector<std::pair<std::uint64_t, Index>>& keyed) {
    const auto shift = static_cast<unsigned>(64 - std::bit_width(4 * keyed.size()));
    std::vector<std::uint8_t> n_seen(std::size_t{1} << (64U - shift), 0);
    for (const auto& [hash, j] : keyed) n_seen[hash >> shift] += n_seen[hash >> shift] < 2 ? 1 : 0;
    std::erase_if(keyed, [&](const auto& entry) { return n_seen[entry.first >> shift] < 2; });
    std::ranges::sort(keyed);
    std::vector<std::pair<std::uint64_t, Index>> shared;
    for (std::size_t c = 0; c < keyed.size(); ++c) {
      const bool before = c > 0 && keyed[c - 1].first == keyed[c].first;
      const bool after = c + 1 < keyed.size() && keyed[c + 1].first == keyed[c].first;
      if (before || after) shared.push_back(keyed[c]);
    }
    keyed.swap(shared);
  }

  // Of sparse columns the shifted ones that occur are the two indicators of a yes or no: c x and d (1 - x). Sets of
  // columns with one value each whose entries may be each other's gaps.
  std::vector<std::vector<Index>> opposites(const Vector& factors) const {
    const Index n = spec_.n_rows;
    std::vector<std::uint8_t> occurs(static_cast<std::size_t>(n + 1), 0);  // a number of entries
    for (Index j = 0; j < spec_.n_features; ++j) {
      if (is_used(factors, j)) occurs[design_.n_entries(j)] = 1;
    }
    const std::uint64_t all = hash_of_rows([n](const auto& add) {
      for (Index i = 0; i < n; ++i) add(i);
    });
    std::vector<std::pair<std::uint64_t, Index>> keyed;
    for (Index j = 0; j < spec_.n_features; ++j) {
      const Index count = design_.n_entries(j);
      if (count == 0 || count == n || !is_used(factors, j) || occurs[n - count] == 0) continue;
      const double value = form(j).unit;
      bool is_flat = value != 0.0;
      const std::uint64_t rows = hash_of_rows([&](const auto& add) {
        for_first_entries(design_, j, n, [&](Index i, double x) {
          add(i);
          is_flat &= x == value;
          return is_flat;
        });
      });
      if (is_flat) keyed.emplace_back(std::min(rows, all - rows), j);
    }
    std::ranges::sort(keyed);
    std::vector<std::vector<Index>> found;
    for (std::size_t c = 0; c < keyed.size(); ++c) {
      if (c == 0 || keyed[c].first != keyed[c - 1].first) found.emplace_back();
      found.back().push_back(keyed[c].second);
    }
    return found;
  }

  // a sum, so that those of a set and of its complement add up to that of all rows
  template <class Rows>
  static std::uint64_t hash_of_rows(const Rows& for_each_row) {
    std::uint64_t sum = 0;
    for_each_row([&](Index i) {
      std::uint64_t hash = (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15U;
      hash ^= hash >> 29U;
      sum += hash * 0x9E3779B97F4A7C15U;
    });
    return sum;
  }

  bool is_opposite(Index a, Index b) const {
    if (design_.n_entries(a) + design_.n_entries(b) != spec_.n_rows) return false;
    std::vector<std::uint8_t> is_set(static_cast<std::size_t>(spec_.n_rows), 0);
    for_first_entries(design_, a, spec_.n_rows, [&](Index i, double) {
      is_set[i] = 1;
      return true;
    });
    bool is_apart = true;
    for_first_entries(design_, b, spec_.n_rows, [&](Index i, double) {
      is_apart = is_set[i] == 0;
      return is_apart;
    });
    return is_apart;
  }

  // The cheapest column without bounds stays, the first of those that are as cheap.
  template <class IsCopy>
  void drop_from(const std::vector<Index>& group, const Penalty& penalty, double* factors,
                 const IsCopy& is_copy_of) const {
    std::vector<Index> open;
    std::ranges::copy_if(group, std::back_inserter(open), [&](Index j) { return factors[j] != infinity; });
    if (open.size() < 2) return;
    std::vector<Form> forms;
    std::vector<double> gain;  // how far the fit moves for a unit of penalty
    std::size_t best = open.size();
    for (std::size_t c = 0; c < open.size(); ++c) {
      const Index j = open[c];
      forms.push_back(form(j));
      gain.push_back((spec_.standardize ? 1.0 : std::abs(forms[c].unit)) / penalty.factor(j));
      const bool may_stay = !penalty.is_bounded(j) && forms[c].unit != 0.0;
      if (may_stay && (best == open.size() || gain[c] > (1.0 + 1e-12) * gain[best])) best = c;
    }
    if (best == open.size()) return;
    for (std::size_t c = 0; c < open.size(); ++c) {
      if (c == best || gain[c] > (1.0 + 1e-12) * gain[best]) continue;
      if (is_copy_of(open[best], forms[best], open[c], forms[c])) factors[open[c]] = infinity;
    }
  }

  // up to the rounding of their values
  bool is_copy(Index a, const Form& of_a, Index b, const Form& of_b) const {
    if (of_b.unit == 0.0) return false;
    std::vector<std::pair<Index, double>> entries;
    entries.reserve(static_cast<std::size_t>(design_.n_entries(a)));
    for_first_entries(design_, a, spec_.n_rows, [&](Index i, double x) {
      entries.emplace_back(i, x);
      return true;
    });
    std::size_t e = 0;
    bool same = true;
    for_first_entries(design_, b, spec_.n_rows, [&](Index i, double x) {
      const auto [row, other] = entries[e++];
      const double apart = (x - of_b.origin) / of_b.unit - (other - of_a.origin) / of_a.unit;
      const double rounding = (std::abs(x) + std::abs(of_b.origin)) / std::abs(of_b.unit) +
                              (std::abs(other) + std::abs(of_a.origin)) / std::abs(of_a.unit);
      same = row == i && std::abs(apart) <= 8.0 * design_.epsilon * rounding;
      return same;
    });
    return same;
  }

  static constexpr Index chunk = 4096;

  const Design& design_;
  const Specification& spec_;
  Threads& threads_;
};

}  // namespace

Vector factors_without_duplicates(const Design& design, const Specification& spec, Threads& threads) {
  return Duplicates(design, spec, threads).factors();
}

}  // namespace normball
