from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Design = NDArray[Any] | tuple[NDArray[Any], NDArray[np.int32], NDArray[np.int64], int]

def solve_path(
    *,
    X: Design,
    responses: NDArray[np.float64],
    weights: NDArray[np.float64],
    offsets: NDArray[np.float64],
    family: str,
    parameter: float = ...,
    l1_ratio: float,
    lambdas: NDArray[np.float64] | None,
    n_lambdas: int,
    lambda_min_ratio: float,
    penalty_factors: NDArray[np.float64],
    lower_bounds: NDArray[np.float64],
    upper_bounds: NDArray[np.float64],
    fit_intercept: bool,
    standardize: bool,
    tol: float,
    max_iter: int,
    n_threads: int,
    poll: Callable[[int, int], bool] | None,
    n_outputs: int = 1,
    grouped: bool = False,
) -> dict[str, Any]: ...
def linear_predictor(
    X: Design,
    rows: NDArray[np.int64] | None,
    intercepts: NDArray[np.float64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float64],
    n_threads: int = 1,
) -> NDArray[np.float64]: ...

# rows in blocks: the sums of one block for a pass, and the driver that asks for passes
def block_moments(
    *,
    X: NDArray[Any],
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    offset: NDArray[np.float64],
    fold: NDArray[np.int32] | None,
    n_repeats: int,
    first_row: int,
    family: str,
    parameter: float,
    n_outputs: int,
    n_folds: int,
    has_gram: bool,
) -> NDArray[np.float64]: ...
def joined_moments(
    first: NDArray[np.float64], second: NDArray[np.float64], n_features: int, n_outputs: int, has_gram: bool
) -> NDArray[np.float64]: ...
def moment_facts(
    moments: NDArray[np.float64], n_features: int, n_outputs: int, has_gram: bool
) -> dict[str, NDArray[np.float64]]: ...
def block_null_sums(
    *,
    X: NDArray[Any],
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    offset: NDArray[np.float64],
    fold: NDArray[np.int32] | None,
    n_repeats: int,
    first_row: int,
    family: str,
    parameter: float,
    n_outputs: int,
    in_time: bool,
    totals: NDArray[np.float64],
    intercepts: NDArray[np.float64],
) -> NDArray[np.float64]: ...
def block_candidate_sums(
    *,
    X: NDArray[Any],
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    offset: NDArray[np.float64],
    fold: NDArray[np.int32] | None,
    n_repeats: int,
    first_row: int,
    family: str,
    parameter: float,
    n_outputs: int,
    in_time: bool,
    totals: NDArray[np.float64],
    least_curvature: NDArray[np.float64],
    centre: NDArray[np.float64],
    order: NDArray[np.int64],
    problem: NDArray[np.int64],
    constant: NDArray[np.float64],
    coefs: NDArray[np.float64],
    inverse_units: NDArray[np.float64],
    digits: NDArray[np.int8],
) -> NDArray[np.float64]: ...
def solve_row_blocks(
    *,
    moments: NDArray[np.float64],
    n_folds: int,
    n_repeats: int,
    in_time: bool,
    reduce: Callable[[str, dict[str, Any]], NDArray[np.float64] | None],
    n_rows: int,
    family: str,
    parameter: float,
    l1_ratio: float,
    lambdas: NDArray[np.float64] | None,
    n_lambdas: int,
    lambda_min_ratio: float,
    penalty_factors: NDArray[np.float64],
    lower_bounds: NDArray[np.float64],
    upper_bounds: NDArray[np.float64],
    fit_intercept: bool,
    standardize: bool,
    tol: float,
    max_iter: int,
    n_threads: int,
    poll: Callable[[int, int], bool] | None,
) -> dict[str, Any]: ...
def screened_products(
    X: Design, centre: NDArray[np.float64], vectors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def shrink_weights(
    weights: NDArray[Any],
    second: NDArray[Any] | None,
    step: float,
    root: float,
    eps: float,
    unseen: float,
    l1: float,
    l2: float,
    n_threads: int,
) -> None: ...

# for tests
def cpu_levels() -> list[str]: ...
def cpu_level() -> str: ...
def set_cpu_level(name: str) -> None: ...
def run_tasks(count: int, task: Callable[[int], object], n_threads: int) -> int: ...
def group_term(
    l1: float,
    group: float,
    l2: float,
    z: NDArray[np.float64],
    b: NDArray[np.float64],
    curvature: float,
    prox: NDArray[np.float64],
) -> dict[str, float]: ...
def solve_groups(
    H: NDArray[np.float64],
    versions: list[int],
    linear: NDArray[np.float64],
    counts: list[int],
    terms: NDArray[np.float64],
    tolerance: float,
    b: NDArray[np.float64],
    gradients: NDArray[np.float64],
) -> None: ...
def solve_by_rows(
    Z: NDArray[np.float64],
    terms: NDArray[np.float64],
    tolerance: float,
    b: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> bool: ...
def mean_losses(
    family: str,
    parameter: float,
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    eta: NDArray[np.float64],
    n_threads: int = 1,
) -> NDArray[np.float64]: ...
def log_hazards(
    family: str,
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    eta: NDArray[np.float64],
) -> NDArray[np.float64]: ...
def pair_sums(
    group: NDArray[np.int64],
    place: NDArray[np.int64],
    n_places: int,
    present: NDArray[np.float64],
    worth: NDArray[np.float64],
) -> NDArray[np.float64]: ...
def loss_rows(
    family: str, parameter: float, y: NDArray[np.float64], eta: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]: ...
def loss_dual(
    family: str, parameter: float, y: NDArray[np.float64], eta: NDArray[np.float64], u: NDArray[np.float64]
) -> NDArray[np.float64]: ...
