"""
Groups: who voted for Dole?
===========================

944 voters of 1996, what they think and who they are (American National Election Study; the set comes with
statsmodels). Answers on a scale from 1 to 7 are codes, not amounts: each becomes a level of its own, and the levels
of a question belong together.
"""

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.datasets

import normball as nb

data = statsmodels.datasets.anes96.load_pandas().data
names = {
    "TVnews": "days of news on TV",
    "selfLR": "left or right",
    "ClinLR": "thinks Clinton is",
    "DoleLR": "thinks Dole is",
    "PID": "party",
    "educ": "education",
    "income": "income",
    "age": "age",
    "logpopul": "size of town",
}
X = data[list(names)].rename(columns=names)
y = np.where(data["vote"] == 1, "Dole", "Clinton")
codes = [names[name] for name in ("TVnews", "selfLR", "ClinLR", "DoleLR", "PID", "educ")]

# %%
# ``groups="columns"`` keeps or drops a question with all of its levels (group lasso).

cv = nb.cv_path(X, y, family="binomial", categorical=codes, groups="columns")
fit = cv.at("1se")
print(fit.summary())

# %%
path = cv.path
of_column = path.preparation.column_of_feature
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
for j, column in enumerate(path.column_names):
    length = np.sqrt(np.sum((path.coefs * path.scales)[:, of_column == j] ** 2, axis=1))
    left.plot(path.lambdas, length, label=column if length[cv.index_1se] else None)
left.axvline(fit.lam, color="black", linestyle="--")
left.set(xscale="log", xlabel="lambda", ylabel="length of a question's coefficients")
left.invert_xaxis()
left.legend(loc="center right", fontsize=7, title="kept at 1se")
for question in ("party", "left or right"):
    levels = [k for k, name in enumerate(path.feature_names) if name.startswith(f"{question} = ")]
    right.plot(range(1, len(levels) + 1), fit.coef[levels], "o-", label=question)
right.set(xlabel="answer, from left to right", ylabel="log odds of Dole")
right.legend()
figure.suptitle("How much each question counts by lambda, and what the answers to two of them add")
plt.show()

# %%
# **Conclusion.** Party decides, then what voters think of Clinton, of themselves and of Dole; once these are known,
# income adds next to nothing, and education, age and television are not kept. The levels of the party rise from left to
# right, and so do those of the voters' own place but for its ends, where few are, though nobody told the model that
# they are in an order.
