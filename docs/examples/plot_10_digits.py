"""
Several classes: which pixels make a digit?
===========================================

1,797 handwritten digits of 8 × 8 pixels (the set comes with scikit-learn). A linear predictor for each of ten
classes, under an L1 penalty: the coefficients are pictures of what speaks for a digit, and against it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import normball as nb

X, y = load_digits(return_X_y=True)
learn = np.arange(len(y)) % 2 == 0
cv = nb.cv_path(X[learn], y[learn], family="multinomial", cv=5, n_lambdas=60)
print(cv.evaluate(X[~learn], y[~learn], lam="1se").summary())

# %%
fit = cv.at("1se")
size = np.quantile(np.abs(fit.coef_per_sd), 0.99)
figure, axes = plt.subplots(2, 5, figsize=(8, 3.6), layout="constrained")
for digit, (ax, coef) in enumerate(zip(axes.flat, fit.coef_per_sd, strict=True)):
    ax.imshow(coef.reshape(8, 8), cmap="PuOr", vmin=-size, vmax=size)
    ax.set(title=f"{digit}: {np.count_nonzero(coef)} pixels", xticks=[], yticks=[])
figure.suptitle("What speaks for each digit (violet) and against it (orange)")
plt.show()

# %%
# ``grouped=True`` keeps a pixel for all digits or for none: then the question is which pixels are needed at all.

grouped = nb.fit_path(X[learn], y[learn], family="multinomial", grouped=True, n_lambdas=40)
chosen = grouped.at(n_nonzero=25)
used = np.any(chosen.coef != 0, axis=0)
right = np.mean(chosen.predict(X[~learn], kind="class") == y[~learn])
print(f"{used.sum()} of 64 pixels for all digits: {right:.1%} of the others are read correctly")

# %%
# **Conclusion.** A linear model with zeros reads 94 % of the digits of the held-out half, and shows what it looks at;
# with 26 pixels for all digits it still reads 90 %.
