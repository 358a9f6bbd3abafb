"""What `check` finds: each finding on a small table made for it, and its absence on a clean one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy import sparse

import normball as nb
from normball.findings import design, target
from normball.findings.column_statistics import Columns
from normball.messages import Finding

Array = NDArray[np.float64]

LAYOUTS: dict[str, Callable[[Array], Any]] = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "csc": sparse.csc_array,
    "csr_matrix": sparse.csr_matrix,
    "frame": lambda X: pl.DataFrame(X, schema=[f"x{j}" for j in range(X.shape[1])]),
}


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Callable[[Array], Any]:
    return LAYOUTS[request.param]


def noise(n: int = 200, p: int = 4, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(n, p))


def binary(X: Array, seed: int = 1) -> Array:
    """A target that the first column decides half-heartedly."""
    return (X[:, 0] + np.random.default_rng(seed).normal(size=len(X)) > 0).astype(float)


def found(X: Any, y: Any, **options: Any) -> dict[str, Finding]:
    return {finding.code: finding for finding in nb.check(X, y, **options)}


# a clean table


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_nothing_on_a_clean_table(family: str, layout: Callable[[Array], Any]) -> None:
    X = noise(300)
    y = {"gaussian": X[:, 0] + noise(300, 1, 5)[:, 0], "binomial": binary(X)}.get(family, np.exp(X[:, 1]).round())
    findings = nb.check(layout(X), y, family=family)
    assert list(findings) == []
    assert str(findings) == "Nothing found."
    assert "Nothing found." in findings._repr_html_()
    assert findings.to_frame().shape == (0, 4)


# columns


def test_constant_columns(layout: Callable[[Array], Any]) -> None:
    X = noise()
    X[:, 1], X[:, 3] = 7.5, 0.0
    finding = found(layout(X), X[:, 0] + noise(seed=2)[:, 0])["W11"]
    assert finding.columns == ("x1", "x3")
    assert finding.text.startswith("2 constant columns: x1 (always 7.5), x3 (always 0).")
    assert finding.fix == 'drop=["x1", "x3"]'


def test_constant_text_column_is_dropped_by_its_own_name() -> None:
    table = pl.DataFrame({"land": ["DE"] * 40, "size": noise(40)[:, 0]})
    finding = found(table, noise(40)[:, 1])["W11"]
    assert finding.columns == ("land = DE",)
    assert finding.fix == 'drop=["land"]'


def test_all_rows_identical_or_all_columns_constant() -> None:
    findings = nb.check(np.ones((30, 3)), np.repeat([0.0, 1.0], 15))
    assert [finding.code for finding in findings] == ["W11"]


def test_copies(layout: Callable[[Array], Any]) -> None:
    X = noise(200, 5)
    X[:, 3] = X[:, 4] = X[:, 1]
    findings = found(layout(X), binary(X))
    assert findings["W12"].text.startswith("2 exact copies: x3 (= x1), x4 (= x1).")
    assert findings["W12"].fix == 'drop=["x3", "x4"]'
    assert "W23" not in findings


def test_copied_level_has_no_remedy() -> None:
    level = np.array(["a", "b", "c", "b"] * 10)
    table = pl.DataFrame({"one": level, "other": np.where(level == "a", "z", np.resize(["y", "x", "x"], 40))})
    finding = found(table, noise(40)[:, 1])["W12"]
    assert finding.columns == ("other = z",)
    assert finding.fix == ""


def test_correlated_columns(layout: Callable[[Array], Any]) -> None:
    X = noise(500, 4)
    X[:, 2] = -3 * X[:, 1] + 5
    X[:, 3] = X[:, 0] + 0.01 * X[:, 3]
    finding = found(layout(X), X[:, 0] + noise(500, seed=2)[:, 0])["W23"]
    assert finding.text.startswith('"x1" and "x2" correlate -1; "x0" and "x3" correlate 0.99995: L1 tends to keep one')
    assert finding.columns == ("x1", "x2", "x0", "x3")


def test_two_levels_of_one_column_are_no_finding() -> None:
    table = pl.DataFrame({"sex": ["m", "f"] * 50, "size": noise(100)[:, 0]})
    assert found(table, noise(100)[:, 1]) == {}


def test_correlation_below_the_threshold_is_no_finding() -> None:
    X = noise(2000, 2)
    X[:, 1] = X[:, 0] + 0.06 * X[:, 1]  # 0.9982
    assert found(X, noise(2000)[:, 3]) == {}


def test_every_correlated_pair_is_found_among_many_columns() -> None:
    X = noise(50, 3000)
    twins = np.arange(0, 1500, 10)
    X[:, twins + 1500] = X[:, twins] * np.where(twins % 20, 2.0, -2.0) + 0.01 * X[:, twins + 1500]
    finding = found(X, noise(50, 1, 9)[:, 0])["W23"]
    assert set(finding.columns) == {f"x{j}" for j in (*twins, *(twins + 1500))}
    assert f"; {len(twins) - 5} more pairs" in finding.text


def test_codes() -> None:
    n = 400
    zone = np.random.default_rng(3).integers(1000, 9999, size=100)
    zone = np.unique(zone)[np.arange(n) % 90]
    X = pl.DataFrame(
        {"zone": zone, "year": 1990 + np.arange(n) % 25, "age": 18 + np.arange(n) % 70, "x": noise(n)[:, 0]}
    )
    finding = found(X, noise(n)[:, 1])["W13"]
    assert finding.columns == ("zone",)
    assert '"zone" (90 distinct values)' in finding.text
    assert finding.fix == 'if they are codes: categorical=["zone"]'


def test_row_numbers(layout: Callable[[Array], Any]) -> None:
    X = noise(60, 3)
    X[:, 1] = np.random.default_rng(0).permutation(60) + 1000
    X[:, 2] = np.cumsum(np.random.default_rng(0).integers(1, 99, size=60))
    findings = nb.check(layout(X), noise(60)[:, 3])
    assert {finding.code for finding in findings} == {"W14"}
    assert {name for finding in findings for name in finding.columns} == {"x1", "x2"}
    assert "unique in every row; used as a feature?" in findings[-1].text


def test_a_row_number_is_said_once() -> None:
    X = pl.DataFrame({"id": np.arange(100), "size": noise(100)[:, 0]})
    assert [finding.code for finding in nb.check(X, noise(100)[:, 1])] == ["W14"]


def test_whole_numbers_that_measure_are_no_finding() -> None:
    X = np.random.default_rng(0).poisson(500, size=(100, 3)).astype(float)
    X[:, 0] = np.round(1e6 * noise(100)[:, 0])  # unique, but with gaps and in no order
    X[0, 1] = 0.5  # not whole after all
    assert found(np.roll(X, 5, axis=0), noise(100)[:, 1]) == {}


def test_hopeless_scaling(layout: Callable[[Array], Any]) -> None:
    X = noise()
    X[:, 1] *= 1e9
    finding = found(layout(X), noise(seed=2)[:, 0])["W19"]
    assert finding.columns[0] == "x1"
    assert "differ by more than a factor of 1e+08" in finding.text
    assert "--" not in finding.in_command_line_words().fix  # there is --no-standardize alone


def test_means_that_drown_the_spread() -> None:
    X = noise()
    X[:, 2] = 1e8 + np.round(X[:, 2])
    finding = found(X, noise(seed=2)[:, 0])["W20"]
    assert finding.columns == ("x2",)
    assert "x2 (1e+08 ± " in finding.text


def test_more_columns_than_rows() -> None:
    finding = found(noise(30, 31), noise(30, 1, 4)[:, 0])["W22"]
    assert "p = 31 > n = 30: L1 keeps at most n-1 = 29 features" in finding.text
    assert "W22" not in found(noise(30, 30), noise(30, 1, 4)[:, 0])


# target


def test_rare_class_and_unbalanced_classes() -> None:
    X = noise(1000)
    y = np.where(np.arange(1000) % 111, "no", "yes")  # 10 of 1000
    y[0] = "no"
    assert found(X, y)["W17"].text.startswith('Class "yes" is rare: 9 of 1,000 rows (0.9 %).')
    y = np.where(np.arange(1000) % 20, "no", "yes")
    assert "W17" not in found(X, y)
    assert found(X, y)["W18"].text == 'Class "yes" has 50 of 1,000 rows (5 %): always saying "no" is right in 95.0 %.'
    y = np.where(np.arange(1000) % 20, 0, 1)
    assert 'Class "0" has' in found(X, 1 - y)["W18"].text


def test_leak_of_a_class(layout: Callable[[Array], Any]) -> None:
    X = noise(400)
    y = binary(X)
    X[:, 2] = np.exp(-10 * y + noise(400, 1, 7)[:, 0])
    finding = found(layout(X), y)["W15"]
    assert finding.columns == ("x2",)
    assert finding.text.startswith('Possible leak: "x2" (AUC 1.000) alone')
    assert finding.fix == 'unless it is known before the target is: drop=["x2"]'


def test_leak_of_a_number_through_a_curve(layout: Callable[[Array], Any]) -> None:
    X = noise(400)
    y = X[:, 0] + noise(400, 1, 7)[:, 0]
    X[:, 1] = np.exp(-2 * y)
    assert found(layout(X), y)["W15"].columns == ("x1",)


def test_leak_through_missing_values() -> None:
    n = 400
    table = pl.DataFrame({"x": noise(n)[:, 0], "refund": noise(n)[:, 1], "gone": np.arange(n) % 3 == 0})
    table = table.with_columns(
        pl.when(pl.col("gone") & (pl.int_range(n) != 5)).then(None).otherwise("refund").alias("refund")
    )
    findings = found(table, "gone")
    assert findings["E04"].columns == ("refund",)
    assert findings["W15"].columns == ("refund is missing",)
    assert findings["W15"].fix == ""
    assert "W04" not in findings


def test_good_features_are_no_leaks() -> None:
    X = noise(400)
    X[:, 1] = 2.0 * (binary(X)) + X[:, 1]
    assert "W15" not in found(X, binary(X))
    assert "W15" not in found(X, X[:, 0] + 0.2 * X[:, 1])  # R2 0.96


def test_chance_is_no_leak() -> None:
    X = noise(12, 20000)
    assert "W15" not in found(X, np.tile([0.0, 1.0], 6), trial_fit=False)  # some column splits 6 from 6
    assert "W15" not in found(noise(7, 3), np.array([0.0, 0, 0, 0, 0, 0, 1]), trial_fit=False)


def test_columns_too_sparse_to_rank_like_the_target_are_passed_over() -> None:
    X = sparse.random_array((500, 3), density=0.03, rng=np.random.default_rng(0), format="csc")
    table = design.Table(Columns(X), *[("a", "b", "c")] * 3, np.zeros(3), np.arange(3))
    assert target._varied_enough(table, noise(500)[:, 0]).size == 0
    assert target._varied_enough(table, (np.arange(500) % 40 == 0).astype(float)).size == 3


def test_ranks_share_ties() -> None:
    order, ranks = target._ranks(np.array([[3.0, 1.0], [3.0, 1.0], [1.0, 1.0], [5.0, 0.0]]))
    assert order[:, 0].tolist() == [2, 0, 1, 3]
    assert ranks.T.tolist() == [[0.0, 1.5, 1.5, 3.0], [0.0, 2.0, 2.0, 2.0]]


# the whole


def test_weight_zero_is_a_row_less() -> None:
    X = noise(200)
    y = binary(X)
    X[150:, 1] += 5  # constant and separating but for these rows
    X[:150, 1] = 2
    weights = np.repeat([1.0, 0.0], [150, 50])
    expected = nb.check(X[:150], y[:150])
    assert str(nb.check(X, y, sample_weight=weights)) == str(expected)
    assert expected[0].code == "W11"


def test_errors_do_not_hide_the_rest() -> None:
    table = pl.DataFrame(
        {
            "name": [f"row {i}" for i in range(60)],
            "price": ["1,000" if i == 7 else str(i % 50) for i in range(60)],
            "size": [None if i == 3 else float(i % 7) for i in range(60)],
            "rate": [float("inf") if i == 9 else float(i % 11) for i in range(60)],
            "fixed": [1] * 60,
            "y": noise(60)[:, 0],
        }
    )
    findings = nb.check(table, "y")
    assert [finding.code for finding in findings] == ["E01", "E04", "E07", "E12", "W11"]
    assert [finding.code for finding in findings.errors] == ["E01", "E04", "E07", "E12"]
    assert [finding.code for finding in findings.warnings] == ["W11"]
    assert isinstance(findings[1:3], type(findings))
    assert findings.to_frame()["columns"].to_list()[-1] == ["fixed"]
    assert "<td" in findings._repr_html_()
    assert repr(findings) == str(findings)


def test_what_cannot_be_mended_is_all_there_is_to_say() -> None:
    codes = [finding.code for finding in nb.check(pl.DataFrame({"x": [1.0, None, 3.0]}), [1.0, 1.0, 1.0])]
    assert codes == ["E03", "E04"]
    findings = nb.check(pl.DataFrame({"x": pl.Series([None] * 3, dtype=pl.Float64)}), [1.0, 2.0, 3.0])
    assert {finding.code for finding in findings} == {"E04"}


@pytest.mark.parametrize("size", [1e-140, 1e-30, 1e30, 1e140])
def test_numbers_of_any_size(size: float, layout: Callable[[Array], Any]) -> None:
    X = noise(300)
    if layout is not LAYOUTS["float32"] or 1e-38 < size < 1e38:
        assert found(layout(X * size), X[:, 0] + noise(300, 1, 5)[:, 0]) == {}
        assert found(layout(X * size), binary(X), trial_fit=False) == {}


@pytest.mark.parametrize(
    ("X", "y", "codes"),
    [
        ([[1.0]], [1.0], {"E03", "E14"}),
        ([[1.0], [2.0]], [0, 1], {"W17", "W21"}),
        ([[1.0], [3.0], [2.0]], [0, 0, 1], {"W17"}),
    ],
)
def test_few_rows(X: list[list[float]], y: list[float], codes: set[str]) -> None:
    assert set(found(X, y)) == codes


def test_html_is_escaped() -> None:
    table = pl.DataFrame({"<b>": np.ones(30), "x": noise(30)[:, 0]})
    assert "&lt;b&gt;" in nb.check(table, noise(30)[:, 1])._repr_html_()


def test_a_wrong_word_is_named() -> None:
    with pytest.raises(TypeError, match="missing"):
        nb.check(noise(), binary(noise()), mising="drop")  # type: ignore[arg-type]


# real tables


def real(read_shared: Callable[[str], Any], name: str, target: str, drop: tuple[str, ...] = (), **options: Any) -> Any:
    table = read_shared(name)
    findings = nb.check(table, target, drop=drop, **options) if isinstance(table, pl.DataFrame) else nb.check(*table)
    return {finding.code: finding for finding in findings}


@pytest.mark.parametrize(
    ("name", "target", "drop", "codes"),
    [
        ("titanic", "survived", (), {"E04"}),
        ("saheart", "chd", (), set()),
        ("diabetes10", "y", (), set()),
        ("concrete", "strength", (), set()),
        ("wdbc", "benign", (), {"W21", "W24"}),
        ("golub_leukemia", "y", ("split",), {"W21", "W22"}),
        ("riboflavin", "y", (), {"W22"}),
        ("california_housing", "median_house_value", (), {"E04"}),
        ("wine_quality", "quality", (), {"W26"}),
    ],
)
def test_real_tables(read_shared: Any, name: str, target: str, drop: tuple[str, ...], codes: set[str]) -> None:
    assert set(real(read_shared, name, target, drop)) - {"W16"} == codes


def test_gene_expression_of_colon_tissue(read_shared: Any) -> None:
    findings = real(read_shared, "alon_colon", "y")
    assert "X40 (= X39)" in findings["W12"].text  # the same control probe
    assert len(findings["W21"].columns) < 12
    assert "All weights x 10: cross-entropy on training rows" in findings["W24"].text


def test_insurance_with_complementary_columns_and_rare_buyers(read_shared: Any) -> None:
    findings = real(read_shared, "caravan", "Purchase", trial_fit=False)
    assert findings["W18"].text.startswith('Class "Yes" has 348 of 5,822 rows')
    assert '"PWERKT" wherever it is not 0 (21 rows)' in findings["W21"].text
    assert '"MHHUUR" and "MHKOOP" correlate -0.9996' in findings["W23"].text


def test_claims_with_outcomes_among_the_features(read_shared: Any) -> None:
    findings = real(read_shared, "beMTPL97", "nclaims", family="poisson")
    assert set(findings["W15"].columns) == {"claim", "amount", "average is missing"}
    assert findings["W13"].columns == ("postcode",)
    assert findings["W14"].columns == ("id",)


def test_rare_level_of_a_census(read_shared: Any) -> None:
    findings = real(read_shared, "adult", "income", ("split",), trial_fit=False)
    assert findings["W21"].columns == ("workclass = Never-worked", "native_country = Holand-Netherlands")


def test_words_of_messages_separate_spam(read_shared: Any) -> None:
    findings = real(read_shared, "sms_spam", "")
    assert {"W12", "W21", "W22"} <= set(findings)
    assert findings["W21"].text.startswith("Separable: ")


def test_nothing_is_said_twice_where_the_rest_cannot_be_looked_at() -> None:
    empty = pl.DataFrame({"a": pl.Series([None] * 30, dtype=pl.Float64), "b": np.arange(30.0), "y": np.arange(30.0)})
    found = nb.check(empty, "y")
    assert [(one.code, one.columns) for one in found if one.is_error] == [("E04", ("a",))]


@pytest.mark.parametrize("missing", ["error", "drop", "impute"])
def test_a_column_without_a_value_is_told_once_and_does_not_hide_the_rest(missing: str) -> None:
    n = 40
    table = pl.DataFrame({"y": noise(n)[:, 0], "a": noise(n)[:, 1], "empty": [None] * n, "none": [""] * n, "one": 1.0})
    table = table.with_columns(empty=pl.col("empty").cast(pl.Float64), gaps=pl.when(pl.col("a") < 1).then("a"))
    for findings in (nb.check(table, "y", missing=missing), nb.check(table.to_pandas(), "y", missing=missing)):
        told = [name for finding in findings if finding.is_error for name in finding.columns]
        assert len(told) == len({*told})
        assert "empty" in told
        assert "W11" in {finding.code for finding in findings}
    for name in ("empty", "y"):
        again = nb.check(table.with_columns(y=pl.lit(None, pl.Float64)), name, missing=missing)
        assert [finding.code for finding in again if "target" in str(finding.columns)] == ["E04"]


@pytest.mark.parametrize("role", ["sample_weight", "offset"])
@pytest.mark.parametrize("missing", ["error", "impute"])
def test_weights_and_offsets_that_cannot_be_read_do_not_hide_the_rest(role: str, missing: str) -> None:
    n = 40
    values = pl.Series("w", ["x"] + ["1"] * (n - 1))
    table = pl.DataFrame({"y": noise(n)[:, 0], "a": noise(n)[:, 1], "one": 1.0})
    expected = {("E01", ("w",)), ("W11", ("one",))}
    given: Any
    for frame, given in ((table.with_columns(values), "w"), (table, values), (table, values.to_pandas())):
        found = nb.check(frame, "y", missing=missing, **{role: given})
        assert {(one.code, one.columns) for one in found} == expected
    found = nb.check(table, "y", missing=missing, **{role: values.to_list()})
    assert {(one.code, one.columns) for one in found} == {("E01", (role,)), ("W11", ("one",))}
    both = nb.check(table.with_columns(values), "y", sample_weight="w", offset="w")
    assert [one.code for one in both] == ["E01", "E01", "W11"]
