# Cox models of R's glmnet (Breslow's ties), frozen in cox_glmnet.json: to the table of its vignette, to two studies, with
# strata and with late entry, and what the vignette prints, at the default threshold and at 1e-14.
#   apt-get install --no-install-recommends r-base-core r-cran-glmnet
#   Rscript tests/golden/cox_glmnet.R FOLDER_OF_THE_DATA_SETS > tests/golden/cox_glmnet.json
# `objective` is normball's: half the deviance over the sum of the weights + lam * sum v (l1_ratio |b s| + (1 -
# l1_ratio)/2 (b s)^2); `beta` belongs to the lambda number `at`, counted from 0.  glmnet scales penalty factors to sum
# to the number of features.  Weights and offsets come from the generator of glmnet.R; heart stands in cox.json.  With
# strata and late entry at once glmnet 4.1-6 stops 0.3 % above the minimum, with a warning: there is no such fit here.

suppressPackageStartupMessages({library(glmnet); library(survival)})
glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-10, mxitnr = 500)
folder <- commandArgs(trailingOnly = TRUE)[1]
read_table <- function(name) read.csv(gzfile(file.path(folder, paste0(name, ".csv.gz"))))

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

cell <- function(x) if (is.character(x)) sprintf('"%s"', x) else if (is.logical(x)) tolower(x) else
  ifelse(is.infinite(x), ifelse(x > 0, '"inf"', '"-inf"'), sprintf("%.17g", x))
json <- function(x) if (length(x) == 1) cell(unname(x)) else paste0("[", paste(cell(unname(x)), collapse = ", "), "]")
record <- function(facts) paste0("{", paste0('"', names(facts), '": ', sapply(facts, json), collapse = ",\n   "), "}")

number <- function(...) as.matrix(data.frame(...)) + 0
example <- as.matrix(read_table("glmnet_cox"))
veteran <- read_table("veteran")
studies <- list(
  glmnet_cox = list(y = example[, 1:2], x = example[, -(1:2)]),
  veteran = with(veteran, list(y = number(time, status), x = number(trt, karno, diagtime, age, prior),
    strata = celltype)),
  heart = with(heart, list(y = number(start, stop, event), x = number(age, year, surgery, transplant == 1))))
surv_of <- function(y) if (ncol(y) == 2) Surv(y[, 1], y[, 2]) else Surv(y[, 1], y[, 2], y[, 3])

solve_problem <- function(name, study, top, seed = 0, l1_ratio = 1, weighted = FALSE, shifted = FALSE, factors = 1,
                          lower = -Inf, standardize = TRUE) {
  of <- studies[[study]]
  state <<- seed
  x <- unname(of$x)
  n <- nrow(x)
  w <- if (weighted) 1 + floor(3 * draw(n)) else rep(1, n)
  o <- if (shifted) 0.5 * bell(n) else rep(0, n)
  v <- rep(factors, length.out = ncol(x))
  share <- w / sum(w)
  s <- if (standardize) sqrt(colSums(share * sweep(x, 2, colSums(share * x))^2)) else rep(1, ncol(x))
  lambdas <- top * 10^seq(-0.05, -2.5, length.out = 20)
  y <- surv_of(of$y)
  if (!is.null(of$strata)) y <- stratifySurv(y, of$strata)
  fit <- glmnet(x, y, family = "cox", weights = w, offset = if (shifted) o else NULL, alpha = l1_ratio,
    lambda = lambdas * mean(v), penalty.factor = v, standardize = standardize, lower.limits = lower, thresh = 1e-14,
    maxit = 1e8)
  stopifnot(length(fit$lambda) == length(lambdas), fit$jerr == 0)
  beta <- as.matrix(fit$beta)
  half <- coxnet.deviance(pred = o + x %*% beta, y = y, weights = w, std.weights = FALSE) / 2 / sum(w)
  b <- beta * s
  penalty <- colSums(v * (l1_ratio * abs(b) + (1 - l1_ratio) / 2 * b^2))
  call <- as.list(match.call())[-1]
  at <- 12
  record(c(lapply(call, function(a) eval(a, parent.frame())), list(checksum = c(dim(x), sum(x), sum(x * x),
    colSums(of$y), sum(w * o), sum(w)), lambdas = lambdas, objective = half + lambdas * penalty, at = at,
    beta = beta[, at + 1])))
}

fits <- list(
  solve_problem("lasso", "glmnet_cox", 0.25),
  solve_problem("elastic net, weights and offset", "glmnet_cox", 0.5, seed = 61, l1_ratio = 0.5, weighted = TRUE,
    shifted = TRUE),
  solve_problem("ridge, not standardised", "glmnet_cox", 10, l1_ratio = 0, standardize = FALSE),
  solve_problem("lasso, penalty factors", "glmnet_cox", 0.25, factors = c(1, 0, 2, 0.5, 1)),
  solve_problem("lasso, bounded below", "glmnet_cox", 0.25, lower = -0.1),
  solve_problem("lasso with strata", "veteran", 0.4),
  solve_problem("lasso with strata, weights", "veteran", 0.4, seed = 62, weighted = TRUE),
  solve_problem("elastic net with late entry", "heart", 0.1, seed = 63, l1_ratio = 0.5, shifted = TRUE),
  solve_problem("lasso with late entry, weights", "heart", 0.05, seed = 64, weighted = TRUE)
)

# coef(fit, s = 0.05), which is taken between two lambdas of the grid, and cross-validation by R's folds with one grid: concordance as cv.glmnet has it, and the partial
# likelihood of Verweij & van Houwelingen (1993), with the likelihoods of coxph (those of cv.glmnet changed in 4.1-9).
vignette <- function(thresh) {
  x <- studies$glmnet_cox$x
  y <- surv_of(studies$glmnet_cox$y)
  event <- studies$glmnet_cox$y[, 2]
  fit <- glmnet(x, y, family = "cox", thresh = thresh)
  set.seed(1)
  folds <- sample(rep(seq(10), length = nrow(x)))
  grid <- glmnet(x, y, family = "cox")$lambda
  cv <- cv.glmnet(x, y, family = "cox", type.measure = "C", foldid = folds, thresh = thresh, lambda = grid)
  likelihood <- function(beta, rows) coxph(y[rows] ~ x[rows, ], init = beta, ties = "breslow",
    control = coxph.control(iter.max = 0))$loglik[1]
  raw <- sapply(1:10, function(k) {
    rest <- folds != k
    beta <- as.matrix(glmnet(x[rest, ], y[rest], family = "cox", lambda = grid, thresh = thresh)$beta)
    apply(beta, 2, function(b) -2 * (likelihood(b, rep(TRUE, nrow(x))) - likelihood(b, rest))) / sum(event[!rest])
  })
  share <- tapply(event, folds, sum) / sum(event)
  mean_deviance <- drop(raw %*% share)
  exact <- glmnet(x, y, family = "cox", lambda = c(grid[grid > 0.05], 0.05), thresh = thresh)
  record(list(between = as.matrix(coef(fit, s = 0.05))[1:8, 1], at_0.05 = as.matrix(coef(exact, s = 0.05))[1:8, 1], folds = folds - 1,
    lambdas = grid, concordance = cv$cvm, concordance_se = cv$cvsd, lambda_min = cv$lambda.min,
    lambda_1se = cv$lambda.1se, deviance = mean_deviance,
    deviance_se = sqrt(drop((raw - mean_deviance)^2 %*% share) / 9)))
}
cat('{"fits": [\n', paste(fits, collapse = ",\n"), '\n],\n"default": ', vignette(1e-7), ',\n"tight": ',
  vignette(1e-14), "\n}\n", sep = "")
