"""An oracle for Cox's model: its partial likelihood written down with every risk set, in plain NumPy.

Nothing here comes from the package, and nothing is fast: a matrix of terms × rows says who is at risk.  For each
stratum and distinct time ``t`` with events, R_t are its rows with ``start < t <= stop`` and D_t those whose event is
at ``t``; rows without weight are nowhere.  With ``omega = w / sum(w)`` the loss is

    L(eta) = sum_t Omega_t log sum_j a_tj exp(eta_j) - sum_i omega_i d_i eta_i              (less its infimum)

    breslow  one term a time:       a_tj = w_j,                                Omega_t = sum of omega over D_t
    efron    |D_t| terms, l = 0 …:  a_tlj = w_j (1 - l/|D_t| [j in D_t]),      Omega_tl = that sum / |D_t|

(Breslow 1974; Efron 1977; weighted as in Therneau & Grambsch 2000, section 3.3.)  Let q be distributions on the risk
sets, a row a term.  Then u = sum_t Omega_t q_t - omega d is in the domain of the conjugate, and

    L*(u) <= sum_t Omega_t sum_j q_tj log(q_tj / a_tj)

with equality where q is the distribution pi proportional to a exp(eta) of some eta: u is the gradient there.  The
lowest loss is approached where the rows that die at t are at risk alone: q = rho, in proportion to their weights.
"""

import numpy as np
from scipy.special import logsumexp, xlogy

import oracle


class CoxLoss:
    """The loss of all rows at once; ``target`` has the columns (stop, event) or (start, stop, event)."""

    def __init__(self, target, weights=None, strata=None, ties="efron"):
        target = np.asarray(target, dtype=float)
        n = target.shape[0]
        start = target[:, 0] if target.shape[1] == 3 else np.full(n, -np.inf)
        stop, event = target[:, -2], target[:, -1] == 1
        w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
        strata = np.zeros(n) if strata is None else np.asarray(strata)
        self.shares, terms = w / w.sum(), []
        self.events = self.shares * event
        died = event & (w > 0)
        for stratum, t in sorted(set(zip(strata[died].tolist(), stop[died].tolist(), strict=True))):
            at_risk = (strata == stratum) & (start < t) & (t <= stop)
            dies = at_risk & died & (stop == t)
            n_terms = int(dies.sum()) if ties == "efron" else 1
            terms += [(w * at_risk * (1 - l / n_terms * dies), dies, n_terms) for l in range(n_terms)]  # noqa: E741
        self.a = np.array([a for a, _, _ in terms]).reshape(-1, n)
        dies = np.array([dies for _, dies, _ in terms]).reshape(-1, n)
        self.strengths = (dies @ self.shares) / np.array([n_terms for _, _, n_terms in terms])
        self.rho = dies * w / (dies @ w)[:, None]
        with np.errstate(divide="ignore"):
            self.log_a = np.log(self.a)
        self.lowest = self.strengths @ np.log((self.a * dies).sum(axis=1))

    def value(self, eta):
        return float(self.strengths @ logsumexp(self.log_a + eta, axis=1) - self.events @ eta - self.lowest)

    def pi(self, eta):
        """How probable it is of each row (a column) that it is the one to die, at each term (a row)."""
        z = self.log_a + eta
        return np.exp(z - logsumexp(z, axis=1, keepdims=True))

    def u(self, q):
        """The point of the dual that distributions on the risk sets make; the gradient at ``pi(eta)``."""
        return self.strengths @ q - self.events

    def gradient(self, eta):
        return self.u(self.pi(eta))

    def hessian(self, eta):
        pi = self.pi(eta)
        return np.diag(self.strengths @ pi) - (pi.T * self.strengths) @ pi

    def conjugate_bound(self, q):
        """An upper bound of the conjugate at ``u(q)``."""
        return float(self.strengths @ (xlogy(q, q) - q * np.where(q > 0, self.log_a, 0)).sum(axis=1) + self.lowest)

    def towards_saturation(self, eta, s):
        """The distributions that make ``s`` times the gradient at ``eta``."""
        return s * self.pi(eta) + (1 - s) * self.rho

    def after_step(self, eta, step):
        """Those that make gradient plus Hessian times step; not distributions where the step is long (negative)."""
        pi = self.pi(eta)
        return pi * (1 + step - pi @ step[:, None])


class Problem(oracle.Problem):
    """A Cox model of one data set with one penalty: see `oracle.Problem`; there is no intercept."""

    def __init__(self, X, target, *, ties="efron", strata=None, weights=None, **options):
        loss = CoxLoss(target, weights, strata, ties)
        super().__init__(X, loss.events, loss, weights=weights, fit_intercept=False, **options)

    def null_intercept(self):
        return 0.0

    def mean_loss(self, theta):
        return self.loss.value(self.eta(theta))

    def gradient(self, theta):
        return self.Z.T @ self.loss.gradient(self.eta(theta))

    def curvatures(self, theta):
        yield self.loss.hessian(self.eta(theta))

    def loss_dual(self, theta, scaling):
        q = self.loss.towards_saturation(self.eta(theta), scaling)
        return self.loss.u(q) @ self.offset - self.loss.conjugate_bound(q)
