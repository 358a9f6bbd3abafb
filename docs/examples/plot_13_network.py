"""
A network that drops inputs
===========================

The digits again, in a PyTorch network whose training loop stays as it is; a group lasso on the first layer takes
whole pixels out. (This example needs ``pip install 'normball[torch]'``; :doc:`the guide <../torch>` has longer ones.)
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

import normball.torch as nbt

torch.manual_seed(0)
images, digits = load_digits(return_X_y=True)
X, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(digits)
learn = torch.arange(len(y)) % 2 == 0

model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
penalized = nbt.penalize(model, optimizer, {"0.weight": nbt.GroupLasso(0.01, by="input"), "2.weight": nbt.L2(0.001)})
loss = torch.nn.CrossEntropyLoss()
for _ in range(600):
    optimizer.zero_grad()
    loss(model(X[learn]), y[learn]).backward()
    optimizer.step()

# %%
with torch.no_grad():
    right = (model(X[~learn]).argmax(1) == y[~learn]).float().mean().item()
    weight = model[0].weight.norm(dim=0).numpy()
small = nbt.shrink(model, X)
print(f"{np.count_nonzero(weight)} of 64 pixels in use, {right:.1%} of the other half read correctly")
print(small)

# %%
figure, axes = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
axes[0].imshow(images.mean(axis=0).reshape(8, 8), cmap="Greys")
axes[0].set_title("mean image")
axes[1].imshow(np.where(weight > 0, weight, np.nan).reshape(8, 8))
axes[1].set_title("weight of a pixel (white: none)")
for ax in axes:
    ax.set(xticks=[], yticks=[])
figure.suptitle("The mean of all digits, and the pixels that the network still uses")
plt.show()

# %%
# **Conclusion.** The zeros are exact, the border of the image is gone from the network, and ``shrink`` gives a
# smaller one with the same answers.
