"""Pipelines with normball's estimators as ONNX graphs."""

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from normball import CoxRegressor, GLMClassifier, GLMClassifierCV, GLMRegressor, GLMRegressorCV, drop_in
from normball.onnx_converters import register

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module", autouse=True)
def _registered():
    register()


def data(kind):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 4))
    eta = x @ [1.0, -0.5, 0.0, 0.2]
    y = {
        "numbers": eta + rng.normal(size=120),
        "counts": rng.poisson(np.exp(eta / 2)) + 1.0,
        "two": np.where(eta + rng.logistic(size=120) > 0, "yes", "no"),
        "truth": eta + rng.logistic(size=120) > 0,
        "three": np.digitize(eta + rng.normal(size=120), [-0.5, 0.7]) * 2,
        "several": np.column_stack([eta, -eta]) + rng.normal(size=(120, 2)),
        "times": np.column_stack([rng.exponential(np.exp(-eta)) + 0.01, rng.random(120) < 0.7]),
    }[kind]
    return x, y


MODELS = [
    (GLMRegressor(lam=0.1), "numbers"),
    (GLMRegressor(lam=0.1, family="poisson"), "counts"),
    (GLMRegressor(lam=0.1), "several"),
    (GLMRegressorCV(cv=3, n_lambdas=10), "numbers"),
    (GLMClassifier(lam=0.01), "two"),
    (GLMClassifier(lam=0.01), "truth"),
    (GLMClassifier(lam=0.01), "three"),
    (GLMClassifierCV(cv=3, n_lambdas=10), "two"),
    (CoxRegressor(lam=0.01), "times"),
    (drop_in.Lasso(alpha=0.1), "numbers"),
    (drop_in.Ridge(alpha=0.1), "numbers"),
    (drop_in.MultiTaskLasso(alpha=0.1), "several"),
    (drop_in.LogisticRegression(), "two"),
    (drop_in.LogisticRegression(), "three"),
    (drop_in.PoissonRegressor(alpha=0.1), "counts"),
    (drop_in.GammaRegressor(alpha=0.1), "counts"),
    (drop_in.TweedieRegressor(alpha=0.1, power=1.5), "counts"),
]


@pytest.mark.parametrize(("model", "kind"), MODELS)
def test_a_graph_says_what_its_pipeline_says(model, kind):
    x, y = data(kind)
    pipeline = make_pipeline(StandardScaler(), model).fit(x, y)
    options = {id(pipeline): {"zipmap": False}} if is_classifier(model) else None
    graph = skl2onnx.to_onnx(pipeline, x[:1], options=options, target_opset=19)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"X": x})
    predicted = pipeline.predict(x)
    if is_classifier(model):
        assert (found[0] == (predicted.astype(int) if kind == "truth" else predicted)).all()
        np.testing.assert_allclose(found[1], pipeline.predict_proba(x), rtol=1e-11)
    else:
        np.testing.assert_allclose(found[0].reshape(predicted.shape), predicted, rtol=1e-10, atol=1e-13)


def test_missing_numbers_are_imputed_in_the_graph_too():
    x, y = data("numbers")
    x[::7, 0] = np.nan
    x[3::11, 2] = np.nan
    model = GLMRegressor(lam=0.001, missing="impute").fit(x, y)
    graph = skl2onnx.to_onnx(model, x[:1], target_opset=19)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"X": x})[0].ravel(), model.predict(x), rtol=1e-11, atol=1e-13)
