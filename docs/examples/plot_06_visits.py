"""
Counts: who goes to the doctor?
===============================

The RAND health insurance experiment gave families insurance plans by lot and counted their visits to a doctor: 20,190
person-years (the set comes with statsmodels). Does a share of the costs keep people away, and are the counts Poisson?
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy.stats
import statsmodels.datasets

import normball as nb

data = statsmodels.datasets.randhie.load_pandas().data
names = {
    "lncoins": "share of costs (log)",
    "idp": "plan with deductible",
    "lpi": "yearly payment (log)",
    "fmde": "most to pay (log)",
    "physlm": "physical limitation",
    "disea": "chronic diseases",
    "hlthg": "health good",
    "hlthf": "health fair",
    "hlthp": "health poor",
}
X, y = data[list(names)].rename(columns=names), data["mdvis"]

poisson = nb.cv_path(X, y, family="poisson")
for finding in poisson.findings:
    print(finding)

# %%
# The counts vary several times as much as Poisson's. The negative binomial family has a variance of its own, and its
# parameter is estimated. Where both families predict best, their coefficients can be compared.

cv = nb.cv_path(X, y, family="negative_binomial")
print(cv.path.family)
print(cv.at("1se").summary())

beside = pd.DataFrame(
    {"poisson": poisson.at("best").coef_per_sd, "negative binomial": cv.at("best").coef_per_sd}, index=X.columns
)
print(beside.round(2))

# %%
counts = np.arange(16)
figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
axes.bar(counts, [np.mean(y == k) for k in counts], color="lightgrey", label="observed")
mu = poisson.predict(X, lam="best", kind="response")
axes.plot(counts, [scipy.stats.poisson.pmf(k, mu).mean() for k in counts], "o-", label="poisson")
mu, theta = cv.predict(X, lam="best", kind="response"), float(cv.path.family.split("(")[1].rstrip(")"))
axes.plot(
    counts,
    [scipy.stats.nbinom.pmf(k, theta, theta / (theta + mu)).mean() for k in counts],
    "o-",
    label="negative binomial",
)
axes.set(xlabel="visits in a year", ylabel="share of people")
axes.legend()
figure.suptitle("Visits in a year: observed, and expected by both families")
plt.show()

# %%
# **Conclusion.** Illness brings people to the doctor, and a share of the costs keeps them away: plans were drawn by
# lot, so this is an effect. The coefficients of both families are nearly the same; the picture shows which of them
# knows how many people never go.
