"""
An outlier: one state that is none
==================================

Murders per 100,000 people in the fifty states and the District of Columbia, with poverty, schooling and family
(statecrime, which comes with statsmodels; after Agresti & Finlay). One row is a city among states. Squared errors let
it decide; Huber's loss does not.
"""

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.datasets

import normball as nb

data = statsmodels.datasets.statecrime.load_pandas().data
X, y = data[["hs_grad", "poverty", "single", "white", "urban"]], data["murder"]
without = data.index != "District of Columbia"

fits = {
    "squared errors": nb.fit_path(X, y, lambdas=[0.2]),
    "squared errors without D.C.": nb.fit_path(X[without], y[without], lambdas=[0.2]),
    "Huber": nb.fit_path(X, y, family="huber(1.5)", lambdas=[0.2]),  # beyond 1.5 murders, errors count in proportion
}
for name, path in fits.items():
    print(f"{name:28}", dict(zip(X.columns, (path.coefs[0] * X.std()).round(2), strict=True)))

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
width = 0.27
for k, (name, path) in enumerate(fits.items()):
    left.bar(np.arange(5) + (k - 1) * width, path.coefs[0] * X.std(), width, label=name)
    right.plot(path.predict(X, lam=path.lambdas[0]), y, "os^"[k], alpha=0.6, label=name)
left.set(xticks=range(5), xticklabels=X.columns, ylabel="murders per SD of the feature")
left.legend(fontsize=8)
right.annotate(
    "D.C.",
    (fits["Huber"].predict(X, lam=0.2)[~without][0], y[~without].iloc[0]),
    xytext=(8, -12),
    textcoords="offset points",
)
right.set(xlabel="predicted", ylabel="observed")
figure.suptitle("Coefficients of three fits, and the murders that they predict: D.C. is far from all others")
plt.show()

# %%
# **Conclusion.** With squared errors one row raises the weight of single parents from 1.7 to 2.8. Huber's loss,
# with all 51 rows, finds about what squared errors find without that row, and nobody had to decide whether it belongs.
