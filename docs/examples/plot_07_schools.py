"""
Shares: pupils above the median in mathematics
==============================================

In 303 Californian school districts, how many ninth-graders were above the national median in mathematics (STAR 1998;
the set comes with statsmodels, after Gill 2001). The target is a share, its weight the number of pupils. The features
are percentages (LOWINC: pupils from poor families; PERASIAN, PERBLACK, PERHISP: of a minority; PCTYRRND: year-round
schools; PCTAF: pupils in courses that prepare for college), salaries, class sizes and spending, and products of these
that others thought of; the lasso may choose.
"""

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.datasets

import normball as nb

data = statsmodels.datasets.star98.load_pandas().data
above, below = data.pop("NABOVE"), data.pop("NBELOW")
pupils = above + below
cv = nb.cv_path(data, above / pupils, sample_weight=pupils, family="binomial")
print(cv.at("1se").summary())

# %%
# Products correlate with what they are made of, and there are twenty columns for 303 rows. An elastic net shares the
# weight; on the same folds, is it better?

comparison = nb.compare(data, above / pupils, sample_weight=pupils, family="binomial")
print(comparison.summary())

# %%
fit = cv.at("1se")
expected = fit.predict(data, kind="response")
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
early = nb.fit_path(data, above / pupils, sample_weight=pupils, family="binomial", lambda_min_ratio=0.03)
early.plot(left)
right.scatter(expected, above / pupils, s=np.sqrt(pupils), alpha=0.4)
right.plot([0, 1], [0, 1], color="black", linewidth=1)
right.set(xlabel="expected share above the median", ylabel="observed", xlim=(0.1, 0.9), ylim=(0, 1))
figure.suptitle("Coefficients by lambda, and the share observed in each district by the expected one")
plt.show()

# %%
# **Conclusion.** The shares of children from poor and from Hispanic families say most of it, four more features a
# little; class sizes are not kept. The elastic net is no better than the lasso, and ridge is worse. That a feature is
# kept does not make it a cause: districts differ in more than is in the table.
