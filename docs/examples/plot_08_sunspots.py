"""
Time: next year's sunspots
==========================

The yearly number of sunspots since 1700 (the set comes with statsmodels). Which of the last thirty years help to
foretell the next one, and how far off are we? Folds in random order would train on the future.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.datasets

import normball as nb

data = statsmodels.datasets.sunspots.load_pandas().data
root = np.sqrt(data["SUNACTIVITY"])  # whose spread does not grow with its level
lags = pd.DataFrame({f"{lag} years ago": root.shift(lag) for lag in range(1, 31)})
whole = lags.notna().all(axis=1)
X, y, year = lags[whole], root[whole], data["YEAR"][whole]

cv = nb.cv_path(X, y, time_order=year, cv=10, keep_predictions=True)
fit = cv.at("1se")
print(fit.summary())

# %%
# The model of the last years is fitted to all of those before. Beside it, what everybody would try first: next year
# as this year.

later = year > 1950
before = nb.cv_path(X[~later], y[~later], time_order=year[~later])
predicted = before.predict(X[later], lam="1se")
miss = np.sqrt(np.mean((predicted - y[later]) ** 2))
naive = np.sqrt(np.mean((X.loc[later, "1 years ago"] - y[later]) ** 2))
print(f"typical error of the root since 1951: {miss:.2f}; this year's number again: {naive:.2f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
left.stem(range(1, 31), fit.coef_per_sd)
left.set(xlabel="years ago", ylabel="coefficient per SD")
right.plot(year[later], y[later] ** 2, "k.-", label="observed")
right.plot(year[later], predicted**2, "C1", label="foretold the year before")
right.set(ylabel="sunspots")
right.legend()
figure.suptitle("Which years count, and the sunspots since 1951 beside what was foretold")
plt.show()

# %%
# **Conclusion.** Last year, the years about one cycle ago, and against them the one in the opposite phase: the lasso
# has found the cycle of eleven years without being told. The error is three tenths smaller than that of saying
# the same again.
