"""
Following an index with a few stocks
====================================

Monthly prices of seven companies and of the NASDAQ Composite since Google went public (the file comes with
Matplotlib). Can a small portfolio follow the index? Weights must not be negative, and what is fitted to the past is
judged by the future.
"""

import matplotlib.cbook
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import normball as nb

file = matplotlib.cbook.get_sample_data("Stocks.csv")
prices = pd.read_csv(file, comment="#", parse_dates=["Date"], index_col="Date").drop(columns=["DELL", "^GSPC"])
growth = np.log(prices.dropna()).diff().dropna()
X, y = growth.drop(columns="^IXIC"), growth["^IXIC"]
print(f"{len(X)} months from {X.index[0]:%B %Y} to {X.index[-1]:%B %Y}")

# %%
# ``lower_bounds=0`` allows no short sales, ``time_order=True`` trains each fold on the months before those that it is
# judged by, and nothing is standardised, since all columns have the same unit.

cv = nb.cv_path(X, y, lower_bounds=0, time_order=True, cv=8, standardize=False)
print(cv.at("1se").summary())

# %%
fit = cv.at("1se")
followed = X @ fit.coef + fit.intercept
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
cv.path.plot(left)
left.set_title("Weights")
right.plot(np.exp(y.cumsum()), label="NASDAQ Composite")
right.plot(np.exp(followed.cumsum()), label=f"{fit.n_nonzero} stocks")
right.set(yscale="log", ylabel="growth since the start")
right.legend()
figure.suptitle("Weights of the stocks by lambda, and the index beside its portfolio")
plt.show()

# %%
# How much of the index would fewer of them follow, in months that the fit has not seen?

for number in (3, 5, 7):
    k = np.argmax(cv.path.n_nonzero >= number)
    print(f"{number} stocks: {1 - cv.cv_mean[k] / cv.null_mean:.0%} explained in later months")

# %%
# **Conclusion.** All seven are kept, and explain nearly three quarters of what the index did in later months; fewer,
# shrunken as they are, follow it clearly worse. What the model cannot know is which companies would survive: the
# seven were chosen in hindsight, which no cross-validation notices.
