"""The tests of scikit-learn 1.9 that a drop-in does not pass, by module and reason.

An entry is the name of a test, followed by pieces of its parameters where only some of its cases are meant.
"""

PRIVATE = "reaches into scikit-learn's private modules"
ALGORITHM = "asks for the iterations, texts or failures of the algorithm that `solver` names; there is one way here"
ACCEPTED = "wants an error for an option that makes no difference here"
ABOVE_ZERO = "wants a gap above 0; that of an exact solution may be 0"
NINE_DIGITS = "coefficients compared to nine digits at a duality gap of 1e-12"
SHORTEST = "with (nearly) no penalty the shortest of many minimisers; any certified one may be returned"

# not run, to save time: slow, and of scikit-learn's own functions alone
NOT_OURS = {"test_ridge": ["test_lbfgs_solver_consistency"]}

LEFT_OUT = {
    "test_coordinate_descent": {
        PRIVATE: ["test_lassoCV_does_not_set_precompute"],
        "wants the gap of one particular dual point; `dual_gap_` is a smaller one": ["test_lasso_dual_gap"],
        ABOVE_ZERO: ["test_multi_task_lasso_and_enet"],
        "wants `X` to be overwritten, or refused for its order of memory": [
            "test_enet_copy_X_False_check_input_False",
            "test_check_input_false",
        ],
    },
    "test_sparse_coordinate_descent": {},
    "test_glm": {
        ALGORITHM: ["test_linalg_warning_with_newton_solver"],
        SHORTEST: [
            "test_glm_regression_unpenalized wide False",
            "test_glm_regression_unpenalized_hstacked_X long",
            "test_glm_regression_unpenalized_hstacked_X wide False",
            "test_glm_regression_unpenalized_vstacked_X wide False",
        ],
        NINE_DIGITS: [
            "test_glm_regression wide PoissonRegressor() False newton",
            "test_glm_regression wide GammaRegressor() False newton",
            "test_glm_regression_hstacked_X wide PoissonRegressor() False newton",
            "test_glm_regression_hstacked_X wide GammaRegressor() False newton",
            "test_glm_regression_vstacked_X wide PoissonRegressor() False newton",
            "test_glm_regression_vstacked_X wide GammaRegressor() False newton",
        ],
        "powers whose loss is not convex, and links that are not the power's own": [
            "test_glm_wrong_y_range glm0",
            *(f"test_glm_log_regression estimator{k}" for k in (2, 3, 5)),
            "test_tweedie_link_argument identity",
            "test_tweedie_link_auto 3",
            "test_tweedie_score log 0",
            "test_tweedie_score log 3",
            *(f"test_tweedie_score identity {power}" for power in ("1", "1.5", "2", "3")),
        ],
    },
    "test_ridge": {
        ALGORITHM: ["test_n_iter", "test_lbfgs_solver_error", "test_ridge_fit_intercept_sparse_sag"],
        ACCEPTED: ["test_ridge_fit_intercept_sparse_error", "test_ridge_positive_error_test"],
        "takes the first alpha where some fold's score is undefined; here such folds are left out": [
            "test_ridgecv_sample_weight",
        ],
        SHORTEST: [
            "test_ridge_regression_unpenalized wide False",
            "test_ridge_regression_unpenalized_vstacked_X wide False",
            "test_ridge_regression_unpenalized_hstacked_X wide False",
            "test_ridge_regression_unpenalized_hstacked_X long",
            "test_regularization_limits_ridge wide zero_alpha",
            "test_regularization_limits_ridge_gcv wide zero_alpha",
            "test_regularization_limits_ridge_gcv square True zero_alpha",
        ],
    },
    "test_logistic": {
        "compares six digits with those of scikit-learn's private function, which has four": [
            "test_logistic_cv_multinomial_score neg_log_loss",
        ],
        "wants another answer for another random_state": ["test_liblinear_dual_random_state"],
        ALGORITHM: ["test_newton_cholesky_fallback_to_lbfgs"],
        "wants a task for an iteration that max_iter=0 does not have": ["test_logistic_regression_callback_support 0"],
        ACCEPTED: [
            "test_check_solver_option",
            "test_liblinear_with_large_values",
            "test_large_sparse_matrix liblinear",
            "test_large_sparse_matrix sag",
            "test_large_sparse_matrix saga",
        ],
    },
}
