# Fits of R's glmnet to 19 small problems, frozen in glmnet.json.
#   apt-get install --no-install-recommends r-base-core r-cran-glmnet
#   Rscript tests/golden/glmnet.R > tests/golden/glmnet.json
# The data come from a linear congruential generator and exact arithmetic, so that
# tests/test_glmnet.py makes the same numbers again.  `lambdas`, `l1_ratio` and `objective` are
# normball's: mean half deviance + lam * sum v (l1_ratio |b s| + (1 - l1_ratio)/2 (b s)^2).  glmnet's
# own differ: it rescales the penalty factors to sum to the number of columns, and for the gaussian
# family, where it brings y to unit variance first, it divides the ridge part by sd(y) (without an
# intercept: by the root mean square of y).

suppressPackageStartupMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, pmin = 1e-15)

state <- 1
draw <- function(k) {
  u <- numeric(k)
  for (i in seq_len(k)) {
    state <<- (16807 * state) %% 2147483647
    u[i] <- state / 2147483647
  }
  u
}
bell <- function(k) draw(k) + draw(k) + draw(k) + draw(k) - 2

make_design <- function(kind, n, p) {
  X <- matrix(bell(n * p), n, p)
  eta <- (X[, 1] - 0.5 * X[, 2]) + 0.25 * X[, 3]
  if (kind == "correlated") for (j in 2:p) X[, j] <- 0.95 * X[, j - 1] + 0.3 * X[, j]
  if (kind == "scales") for (j in 1:p) X[, j] <- X[, j] * 4^((j - 1) %% 7 - 3) + j
  if (kind == "sparse") X[draw(n * p) > 0.2] <- 0
  list(X = X, eta = eta)
}

make_response <- function(family, eta) {
  n <- length(eta)
  switch(family,
    gaussian = 3 * eta + 2 * bell(n) + 5,
    binomial = as.numeric(draw(n) < 0.5 + 0.2 * eta),
    proportion = pmin(4, pmax(0, floor(2.5 + eta + 2 * bell(n)))) / 4,
    poisson = floor(pmax(0, 1 + eta) * pmax(0, 1 + eta) * 2 * draw(n)))
}

half_deviance <- function(family, y, eta) {
  xlogx <- function(t) ifelse(t > 0, t * log(ifelse(t > 0, t, 1)), 0)
  switch(family,
    gaussian = (y - eta)^2 / 2,
    binomial = log1p(exp(eta)) - y * eta + xlogx(y) + xlogx(1 - y),
    poisson = exp(eta) - y * eta - y + xlogx(y))
}

solve_problem <- function(name, seed, family, n, p, design = "plain", l1_ratio = 1, top = 1,
                          weighted = FALSE, shifted = FALSE, factors = rep(1, p), lower = -Inf,
                          upper = Inf, intercept = TRUE, standardize = TRUE) {
  state <<- seed
  made <- make_design(design, n, p)
  X <- made$X
  y <- make_response(family, made$eta)
  w <- if (weighted) 1 + floor(3 * draw(n)) else rep(1, n)
  o <- if (shifted) 0.5 * bell(n) else rep(0, n)
  if (family == "proportion") family <- "binomial"
  share <- w / sum(w)
  mean_x <- colSums(share * X)
  s <- if (standardize) sqrt(colSums(share * sweep(X, 2, mean_x)^2)) else rep(1, p)

  lambdas <- top * c(0.8, 0.4, 0.2, 0.1, 0.05, 0.02)
  sd_y <- 1
  if (family == "gaussian") sd_y <- sqrt(sum(share * (y - o - intercept * sum(share * (y - o)))^2))
  mix <- l1_ratio + (1 - l1_ratio) * sd_y
  effective <- ifelse(is.infinite(factors), 1, factors)
  fit <- glmnet(if (design == "sparse") as(X, "dgCMatrix") else X,
    if (family == "binomial") cbind(1 - y, y) else y,
    family = family, weights = w, offset = if (shifted) o else NULL, alpha = l1_ratio / mix,
    lambda = lambdas * mix * sum(effective) / p, penalty.factor = factors, lower.limits = lower,
    upper.limits = upper, intercept = intercept, standardize = standardize, thresh = 1e-12,
    maxit = 1e8)
  stopifnot(length(fit$lambda) == length(lambdas), fit$jerr == 0)

  beta <- as.matrix(fit$beta)
  v <- ifelse(is.infinite(factors), 0, factors)
  objective <- sapply(seq_along(lambdas), function(l) {
    eta <- o + fit$a0[l] + as.vector(X %*% beta[, l])
    b <- beta[, l] * s
    sum(share * half_deviance(family, y, eta)) +
      lambdas[l] * sum(v * (l1_ratio * abs(b) + (1 - l1_ratio) / 2 * b^2))
  })
  call <- as.list(match.call())[-1]
  cell <- function(x) if (is.character(x)) sprintf('"%s"', x) else if (is.logical(x)) tolower(x) else
    ifelse(is.infinite(x), ifelse(x > 0, '"inf"', '"-inf"'), sprintf("%.17g", x))
  json <- function(x) if (length(x) == 1) cell(x) else paste0("[", paste(cell(x), collapse = ", "), "]")
  columns <- lapply(seq_along(lambdas), function(l) which(beta[, l] != 0))
  lists <- function(f) paste0("[", paste(sapply(seq_along(lambdas), function(l)
    paste0("[", paste(cell(f(l)), collapse = ", "), "]")), collapse = ", "), "]")
  facts <- c(lapply(call, function(a) json(eval(a, parent.frame()))),
    checksum = json(c(sum(X), sum(X * X), sum(y), sum(w * o))),
    lambdas = json(lambdas), a0 = json(unname(fit$a0)), objective = json(objective),
    columns = lists(function(l) columns[[l]] - 1), beta = lists(function(l) beta[columns[[l]], l]))
  paste0("  {", paste0('"', names(facts), '": ', facts, collapse = ",\n   "), "}")
}

problems <- list(
  solve_problem(name = "tall lasso", seed = 11, family = "gaussian", n = 200, p = 12, top = 1.5),
  solve_problem(name = "wide lasso", seed = 12, family = "gaussian", n = 50, p = 120, top = 1.5),
  solve_problem(name = "sparse weighted lasso", seed = 13, family = "gaussian", n = 150, p = 40,
    design = "sparse", top = 1, weighted = TRUE),
  solve_problem(name = "elastic net, weights and offset", seed = 14, family = "gaussian", n = 100,
    p = 30, l1_ratio = 0.5, top = 3, weighted = TRUE, shifted = TRUE),
  solve_problem(name = "ridge, columns of very different scales", seed = 15, family = "gaussian",
    n = 90, p = 14, design = "scales", l1_ratio = 0, top = 10),
  solve_problem(name = "elastic net, penalty factors, no intercept", seed = 16, family = "gaussian",
    n = 80, p = 10, l1_ratio = 0.2, top = 5, factors = c(0, 2, 1, 0.5, Inf, 1, 3, 1, 1, 0),
    intercept = FALSE),
  solve_problem(name = "lasso in a box, not standardised", seed = 17, family = "gaussian", n = 100,
    p = 15, top = 1, lower = -0.3, upper = 1.2, standardize = FALSE),
  solve_problem(name = "correlated lasso", seed = 18, family = "gaussian", n = 120, p = 60,
    design = "correlated", top = 1.5),
  solve_problem(name = "tall logistic lasso", seed = 21, family = "binomial", n = 300, p = 15, top = 0.1),
  solve_problem(name = "wide logistic elastic net", seed = 22, family = "binomial", n = 60, p = 150,
    l1_ratio = 0.5, top = 0.4),
  solve_problem(name = "logistic lasso, weights, offset, penalty factors", seed = 23,
    family = "binomial", n = 150, p = 8, top = 0.1, weighted = TRUE, shifted = TRUE,
    factors = c(1, 0, 0.3, Inf, 1, 2, 1, 1)),
  solve_problem(name = "correlated logistic ridge", seed = 24, family = "binomial", n = 100, p = 40,
    design = "correlated", l1_ratio = 0, top = 1),
  solve_problem(name = "sparse logistic lasso, no intercept", seed = 25, family = "binomial", n = 200,
    p = 50, design = "sparse", top = 0.1, intercept = FALSE),
  solve_problem(name = "proportions, elastic net in a box", seed = 26, family = "proportion", n = 120,
    p = 12, l1_ratio = 0.2, top = 0.3, weighted = TRUE, lower = -0.1, upper = 0.5),
  solve_problem(name = "tall poisson lasso with offset", seed = 31, family = "poisson", n = 250,
    p = 15, top = 0.6, shifted = TRUE),
  solve_problem(name = "poisson elastic net, scales and weights", seed = 32, family = "poisson",
    n = 150, p = 21, design = "scales", l1_ratio = 0.2, top = 3, weighted = TRUE),
  solve_problem(name = "wide poisson lasso, not standardised", seed = 33, family = "poisson", n = 60,
    p = 100, top = 0.5, standardize = FALSE),
  solve_problem(name = "poisson ridge, penalty factors, no intercept", seed = 34, family = "poisson",
    n = 100, p = 6, l1_ratio = 0, top = 2, factors = c(1, 0, 2, 0.5, 1, 1), intercept = FALSE),
  solve_problem(name = "sparse poisson lasso, nonnegative", seed = 35, family = "poisson", n = 200,
    p = 30, design = "sparse", top = 0.5, lower = 0)
)
cat("[\n", paste(problems, collapse = ",\n"), "\n]\n", sep = "")
