"""
Words that tell NumPy from SciPy
================================

Real text that everybody has who reads this: the docstrings of two libraries. Which words give away where one comes
from? A column for each word, nearly all of it zeros: the L1 penalty keeps a vocabulary that fits on a page.
"""

import inspect
import re

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.signal
import scipy.stats
from sklearn.feature_extraction.text import CountVectorizer

import normball as nb


def docstrings(*modules):
    """The docstrings of what modules hold, without the names of the libraries."""
    found = {inspect.getdoc(getattr(module, name)) or "" for module in modules for name in module.__all__}
    bare = (re.sub(r"\b(numpy|scipy|np|linalg|stats|signal|optimize)\b", " ", text) for text in sorted(found))
    return [text for text in bare if len(text) > 300]


texts = {
    "numpy": docstrings(np, np.linalg, np.fft, np.random, np.ma),
    "scipy": docstrings(scipy.stats, scipy.signal, scipy.linalg, scipy.optimize),
}
labels = np.repeat(list(texts), [len(some) for some in texts.values()])
words = CountVectorizer(binary=True, token_pattern=r"[a-z]{3,}", min_df=5)
X = words.fit_transform([*texts["numpy"], *texts["scipy"]])
print(f"{X.shape[0]} docstrings, {X.shape[1]} words, {X.nnz / X.shape[0]:.0f} of them in a docstring")

# %%
# The matrix stays sparse. ``normball`` reads it as it is.

X = X.astype(float)
cv = nb.cv_path(X, labels, family="binomial", score="auc")
fit = cv.at("1se")
print(f"AUC on held-out docstrings {cv.cv_mean[cv.index_1se]:.3f}, with {fit.n_nonzero} words")

# %%
names = words.get_feature_names_out()
order = np.argsort(fit.coef)
shown = [*order[:12], *order[-12:]]
figure, axes = plt.subplots(figsize=(7, 5.5), layout="constrained")
axes.barh(names[shown], fit.coef[shown], color=["C0" if fit.coef[j] < 0 else "C1" for j in shown])
axes.set(xlabel="change of the log odds where the word occurs: numpy ←   → scipy")
figure.suptitle("The twelve words that speak most for either library")
plt.show()

# %%
# **Conclusion.** Of three thousand words, some dozens are enough. Some are about the subject (optimization,
# iterations), others about house style (``out`` arguments in NumPy, ``autosummary`` in SciPy): a model finds what
# separates, which need not be what was meant. Looking at the words is how one notices.
