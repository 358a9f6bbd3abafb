"""scikit-learn's callbacks: a task for the fit, and one for each iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from normball.drop_in._class_models import ClassModel


class FitTask:
    """The task of one fit, which tells the callbacks of `model` how far it is.

    Without callbacks nothing is called, and nothing is computed for them.
    """

    def __init__(self, model: Any, X: Any, y: NDArray[Any], sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._given = {"estimator": model, "X": X, "y": y, "metadata": metadata}
        # the last subtask is the one that finds nothing left to do
        self._context = model._init_callback_context(max_subtasks=max(model.max_iter, 1) + 1)
        self._context.call_on_fit_task_begin(**self._given)
        self._dtype = X.dtype

    @property
    def watches_iterations(self) -> bool:
        """Whether somebody is told of every iteration: of this solver alone, as scikit-learn's warning has it."""
        model = self._given["estimator"]
        return hasattr(model, "_skl_callbacks") and model.solver == "lbfgs"

    def iterate(self, after: Callable[[int], ClassModel], limit: int) -> None:
        """Tell of the model before and after each iteration, up to `limit` of them.

        `after(k)` is the model after k iterations. Each is solved for afresh, so their number goes in squared; only
        callbacks make us do that.
        """
        model, n_done = after(0), 0
        while True:
            task = self._context.subcontext(task_name="iteration")
            task.call_on_fit_task_begin(**self._given, reconstruction_attributes=self._attributes(model))
            following = after(n_done + 1) if n_done < limit else model
            if following.n_iters <= n_done:
                task.call_on_fit_task_end(estimator=self._given["estimator"])
                return
            model, n_done = following, following.n_iters
            task.call_on_fit_task_end(**self._given, reconstruction_attributes=self._attributes(model))

    def end(self) -> None:
        """Tell that the model is fitted."""
        self._context.call_on_fit_task_end(**self._given, reconstruction_attributes={})

    def _attributes(self, model: ClassModel) -> dict[str, Any]:
        return {"coef_": model.coefs.astype(self._dtype), "intercept_": model.intercepts.astype(self._dtype)}
