"""`--example NAME`: the data sets inside scikit-learn, read from its files, since to import it takes seconds."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.language import message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = tuple[NDArray[np.float64], NDArray[np.float64]]

TARGETS = {"diabetes": "progression", "breast_cancer": "benign", "wine": "class_0"}
NOTES = {
    "breast_cancer": message("The target is 1 for benign and 0 for malignant tumours."),
    "wine": message("The data have three classes; the question here is class 0 against the other two."),
}
OF_CELLS = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
)
FEATURES = {
    "diabetes": ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"],
    "breast_cancer": [form.format(name) for form in ("mean_{}", "{}_error", "worst_{}") for name in OF_CELLS],
    "wine": [
        "alcohol",
        "malic_acid",
        "ash",
        "alcalinity_of_ash",
        "magnesium",
        "total_phenols",
        "flavanoids",
        "nonflavanoid_phenols",
        "proanthocyanins",
        "color_intensity",
        "hue",
        "od280/od315_of_diluted_wines",
        "proline",
    ],
}
FILES = {"breast_cancer": "breast_cancer.csv", "wine": "wine_data.csv"}


def example(name: str) -> Any:
    """One of the data sets as a table, its target first."""
    import polars

    values, target = _read(name)
    if name == "wine":
        target = target == 0
    if name != "diabetes":
        target = target.astype(int)
    return polars.DataFrame(values, schema=FEATURES[name]).insert_column(0, polars.Series(TARGETS[name], target))


def _read(name: str) -> Numbers:
    """Features and target as `sklearn.datasets` has them; by way of that where its files are elsewhere."""
    import numpy as np

    package = find_spec("sklearn")
    folder = Path(*(package.submodule_search_locations or ()) if package else ()) / "datasets" / "data"
    try:
        if name in FILES:
            table = np.loadtxt(folder / FILES[name], delimiter=",", skiprows=1)
            return table[:, :-1], table[:, -1]
        raw = np.loadtxt(folder / "diabetes_data_raw.csv.gz")
        target = np.loadtxt(folder / "diabetes_target.csv.gz")
    except FileNotFoundError:
        from sklearn import datasets

        values, target = getattr(datasets, f"load_{name}")(return_X_y=True)
        return values, target
    centred = raw - raw.mean(axis=0)
    return centred / raw.std(axis=0) / len(raw) ** 0.5, target
