"""Converters for skl2onnx, so that pipelines with normball's estimators become ONNX graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from normball import drop_in, estimators, estimators_survival
from normball.families import find_family
from normball.inputs.terms.numbers import NumberTerm

Array = NDArray[np.float64]
_ESTIMATORS = (
    estimators.GLMRegressor,
    estimators.GLMRegressorCV,
    estimators.GLMClassifier,
    estimators.GLMClassifierCV,
    estimators_survival.CoxRegressor,
    estimators_survival.CoxRegressorCV,
    *(getattr(drop_in, name) for name in drop_in.__all__),
)


def register() -> None:
    """Let `skl2onnx.convert_sklearn` and `to_onnx` know the estimators and drop-ins of normball.

    They are computed in double precision by plain operators, whatever the type of the input. The input is one matrix of
    numbers; for tables with columns of labels there is `Fit.export`.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Examples
    --------
    >>> from normball.onnx_converters import register
    >>> register()
    """
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    for kind in _ESTIMATORS:
        if is_classifier(kind()):
            shapes, convert = calculate_linear_classifier_output_shapes, _convert_classifier
            options: dict[str, list[Any]] = {"zipmap": [True, False, "columns"], "nocl": [True, False]}
        else:
            shapes, convert, options = calculate_linear_regressor_output_shapes, _convert_regressor, {}
        update_registered_converter(kind, f"Normball{kind.__name__}", shapes, convert, options=options)


def _convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    """The expected target, of Cox the linear predictor."""
    from skl2onnx.algebra.onnx_ops import OnnxCast, OnnxExp

    version, model = container.target_opset, operator.raw_operator
    found = _linear_predictor(model, operator.inputs[0], version)
    if _inverse_link(model) == "exp":
        found = OnnxExp(found, op_version=version)
    OnnxCast(found, to=_type_of(operator.outputs[0]), op_version=version, output_names=operator.outputs[:1]).add_to(
        scope, container
    )


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    """The likeliest class, and the probability of each."""
    from skl2onnx.algebra.onnx_ops import (
        OnnxArgMax,
        OnnxCast,
        OnnxConcat,
        OnnxGather,
        OnnxNeg,
        OnnxSigmoid,
        OnnxSoftmax,
    )

    version, model = container.target_opset, operator.raw_operator
    found = _linear_predictor(model, operator.inputs[0], version)
    if len(np.atleast_1d(model.intercept_)) == 1:
        found = OnnxConcat(OnnxNeg(found, op_version=version), found, axis=1, op_version=version)
        chances = OnnxSigmoid(found, op_version=version)
    else:
        chances = OnnxSoftmax(found, axis=1, op_version=version)
    place = OnnxArgMax(found, axis=1, keepdims=0, op_version=version)
    labels = np.asarray(model.classes_)
    labels = labels.astype(np.int64) if labels.dtype.kind in "biu" else labels.astype(str)
    label = OnnxGather(labels, place, op_version=version, output_names=operator.outputs[:1])
    label.add_to(scope, container)
    OnnxCast(chances, to=_type_of(operator.outputs[1]), op_version=version, output_names=operator.outputs[1:2]).add_to(
        scope, container
    )


def _type_of(output: Any) -> int:
    """The ONNX type of the numbers of an output."""
    from skl2onnx.proto import onnx_proto

    is_double = type(output.type).__name__.startswith("Double")
    return int(onnx_proto.TensorProto.DOUBLE if is_double else onnx_proto.TensorProto.FLOAT)


def _inverse_link(model: Any) -> str:
    """How the prediction follows from the linear predictor."""
    if isinstance(model, estimators_survival.CoxRegressor | estimators_survival.CoxRegressorCV):
        return "identity"  # it predicts the logarithm
    if hasattr(model, "path_"):
        return find_family(model.path_.family).inverse_link
    logged = (drop_in.PoissonRegressor, drop_in.GammaRegressor, drop_in.TweedieRegressor)
    return "exp" if isinstance(model, logged) and getattr(model, "link", "log") != "identity" else "identity"


def _linear_predictor(model: Any, source: Any, version: int) -> Any:
    """The linear predictors (n, n_outputs) in double precision; what stands for missing numbers is put in."""
    from skl2onnx.algebra.onnx_ops import OnnxAdd, OnnxCast, OnnxIsNaN, OnnxMatMul, OnnxWhere
    from skl2onnx.proto import onnx_proto

    coefs, gaps, fills = _by_column(model)
    intercept = np.atleast_2d(getattr(model, "intercept_", 0.0)).astype(np.float64)
    x = OnnxCast(source, to=onnx_proto.TensorProto.DOUBLE, op_version=version)
    missing = OnnxIsNaN(x, op_version=version)
    if not np.isnan(fills).all():
        x = OnnxWhere(missing, fills, x, op_version=version)
    found = OnnxAdd(OnnxMatMul(x, coefs, op_version=version), intercept, op_version=version)
    if gaps.any():
        marks = OnnxCast(missing, to=onnx_proto.TensorProto.DOUBLE, op_version=version)
        found = OnnxAdd(found, OnnxMatMul(marks, gaps, op_version=version), op_version=version)
    return found


def _by_column(model: Any) -> tuple[Array, Array, Array]:
    """For each column of X its coefficients, those of its gaps (n_columns, n_outputs), and what fills them (1, n)."""
    coef = np.atleast_2d(model.coef_).T
    n_columns = model.n_features_in_
    coefs, gaps = np.zeros((n_columns, coef.shape[1])), np.zeros((n_columns, coef.shape[1]))
    fills = np.full((1, n_columns), np.nan)
    if not hasattr(model, "path_"):
        return np.asarray(coef, dtype=np.float64), gaps, fills
    if model.path_.has_offset:
        raise ValueError("the model was fitted with an offset, which a pipeline cannot give it: use fit.export")
    preparation = model.path_.preparation
    places = {
        name: j for j, name in enumerate(getattr(model, "feature_names_in_", [f"x{j}" for j in range(n_columns)]))
    }
    for term, start in zip(preparation.columns, preparation.starts, strict=True):
        if not isinstance(term, NumberTerm):
            raise ValueError(f'column "{term.name}" is no number: export such models with fit.export("model.onnx")')
        place = places[term.name]
        coefs[place] = coef[start]
        fills[0, place] = np.nan if term.fill is None else term.fill
        if term.indicator:
            gaps[place] = coef[start + 1]
    return coefs, gaps, fills
