# Fits of R's glmnet to the two tables of its vignette with several outputs, frozen in outputs.json: multinomial
# (three classes, the penalty by coefficient or by feature) and mgaussian (four targets, by feature), and what the
# vignette prints about them, at its default threshold and at 1e-14.
#   apt-get install --no-install-recommends r-base-core r-cran-glmnet
#   Rscript tests/golden/outputs.R FOLDER_OF_THE_DATA_SETS > tests/golden/outputs.json
# `objective` is normball's: mean loss + lam * sum v (l1_ratio |b s| + (1 - l1_ratio)/2 (b s)^2), the bars being
# absolute values, or norms of the outputs of a feature where it is `grouped`; the loss is -log p of the class, or half
# of the squared distance.  `lambdas` and `l1_ratio` are glmnet's as they are, also for mgaussian; its penalty factors
# are scaled to sum to the number of features.  `beta` (a row a feature, a column an output) and `a0` belong to the
# lambda number `at`, counted from 0.  Weights and offsets come from the generator of glmnet.R.

suppressPackageStartupMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, pmin = 1e-15)
folder <- commandArgs(trailingOnly = TRUE)[1]
read_table <- function(name) as.matrix(read.csv(gzfile(file.path(folder, paste0(name, ".csv.gz")))))
multinomial <- read_table("glmnet_multinomial")
classes <- list(x = multinomial[, -1], y = multinomial[, 1])
multigaussian <- read_table("glmnet_multigaussian")
targets <- list(x = multigaussian[, -(1:4)], y = multigaussian[, 1:4])

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
json <- function(x) if (is.matrix(x)) paste0("[", paste(apply(x, 1, json), collapse = ",\n    "), "]") else
  if (length(x) == 1) cell(x) else paste0("[", paste(cell(x), collapse = ", "), "]")
record <- function(facts, indent = "   ")
  paste0("{", paste0('"', names(facts), '": ', facts, collapse = paste0(",\n", indent)), "}")

solve_problem <- function(name, family, top, seed = 0, l1_ratio = 1, grouped = family == "multigaussian",
                          weighted = FALSE, shifted = FALSE, factors = NULL, intercept = TRUE,
                          standardize = TRUE) {
  state <<- seed
  data <- if (family == "multinomial") classes else targets
  x <- data$x
  y <- if (family == "multinomial") sapply(1:3, function(k) as.numeric(data$y == k)) else data$y
  n <- nrow(x)
  w <- if (weighted) 1 + floor(3 * draw(n)) else rep(1, n)
  o <- if (shifted) matrix(0.5 * bell(length(y)), n) else 0 * y
  v <- if (is.null(factors)) rep(1, ncol(x)) else rep(factors, length.out = ncol(x))
  share <- w / sum(w)
  s <- if (standardize) sqrt(colSums(share * sweep(x, 2, colSums(share * x))^2)) else rep(1, ncol(x))
  lambdas <- top * 10^seq(-0.05, -2.5, length.out = 20)
  fit <- glmnet(x, y, family = if (family == "multinomial") family else "mgaussian", weights = w,
    offset = if (shifted) o else NULL, alpha = l1_ratio, lambda = lambdas * mean(v), penalty.factor = v,
    intercept = intercept, standardize = standardize,
    type.multinomial = if (grouped) "grouped" else "ungrouped", thresh = 1e-14, maxit = 1e9)
  stopifnot(length(fit$lambda) == length(lambdas), fit$jerr == 0)
  coefficients <- function(l) sapply(fit$beta, function(beta) as.matrix(beta)[, l])
  objective <- sapply(seq_along(lambdas), function(l) {
    eta <- o + sweep(x %*% coefficients(l), 2, fit$a0[, l], "+")
    loss <- if (family == "multinomial") log(rowSums(exp(eta))) - rowSums(y * eta) else rowSums((y - eta)^2) / 2
    b <- coefficients(l) * s
    size <- if (grouped) sqrt(rowSums(b^2)) else rowSums(abs(b))
    sum(share * loss) + lambdas[l] * sum(v * (l1_ratio * size + (1 - l1_ratio) / 2 * rowSums(b^2)))
  })
  at <- 10
  call <- as.list(match.call())[-1]
  facts <- c(lapply(call, function(a) json(eval(a, parent.frame()))),
    if (is.null(call$grouped)) c(grouped = json(grouped)),
    checksum = json(c(dim(x), sum(x), sum(x * x), sum(w * y[, 1]), sum(w * o[, 2]), sum(w))),
    lambdas = json(lambdas), objective = json(objective), at = json(at),
    a0 = json(unname(fit$a0[, at + 1])), beta = json(unname(coefficients(at + 1))))
  record(facts)
}

mixed <- c(1, 0, 2, 0.5, 1)
fits <- list(
  solve_problem("multinomial lasso", "multinomial", 0.2),
  solve_problem("multinomial lasso by feature", "multinomial", 0.25, grouped = TRUE),
  solve_problem("multinomial ridge, not standardised", "multinomial", 10, l1_ratio = 0, standardize = FALSE),
  solve_problem("multinomial elastic net, weights and offset", "multinomial", 0.4, seed = 41, l1_ratio = 0.5,
    weighted = TRUE, shifted = TRUE),
  solve_problem("multinomial elastic net by feature, weights and offset", "multinomial", 0.5, seed = 42,
    l1_ratio = 0.5, grouped = TRUE, weighted = TRUE, shifted = TRUE),
  solve_problem("multinomial lasso, penalty factors", "multinomial", 0.2, factors = mixed),
  solve_problem("multinomial lasso by feature, penalty factors, no intercept", "multinomial", 0.25, grouped = TRUE,
    factors = mixed, intercept = FALSE),
  solve_problem("several targets, lasso", "multigaussian", 4),
  solve_problem("several targets, elastic net, weights and offset", "multigaussian", 8, seed = 43, l1_ratio = 0.5,
    weighted = TRUE, shifted = TRUE),
  solve_problem("several targets, ridge", "multigaussian", 100, l1_ratio = 0),
  solve_problem("several targets, lasso, penalty factors, no intercept, not standardised", "multigaussian", 4,
    factors = mixed, intercept = FALSE, standardize = FALSE)
)

# What the vignette prints, in its order; the folds are drawn after the training rows, as cv.glmnet draws them.  It gives
# each fold a grid of its own and takes predictions between its points, unless it is told `one_grid` for all.
vignette <- function(thresh, maxit, one_grid) {
  several <- glmnet(targets$x, targets$y, family = "mgaussian", thresh = thresh)
  predicted <- predict(several, newx = targets$x[1:5, ], s = c(0.1, 0.01))
  set.seed(101)
  train <- sample(1:500, 400)
  folds <- sample(rep(seq(10), length = 400))
  grid <- if (one_grid) glmnet(classes$x[train, ], classes$y[train], family = "multinomial")$lambda
  cv <- cv.glmnet(classes$x[train, ], classes$y[train], family = "multinomial", foldid = folds, lambda = grid,
    thresh = thresh, maxit = maxit)
  found <- confusion.glmnet(cv, newx = classes$x[-train, ], newy = classes$y[-train])
  grouped <- glmnet(classes$x, classes$y, family = "multinomial", type.multinomial = "grouped", lambda =
    exp(seq(log(0.25), log(0.01), length.out = 30)), thresh = thresh, maxit = maxit)
  record(list(targets_0.1 = json(predicted[, , 1]), targets_0.01 = json(predicted[, , 2]), train = json(train - 1),
    folds = json(folds - 1), lambdas = json(cv$lambda), cv_mean = json(cv$cvm / 2), cv_se = json(cv$cvsd / 2),
    lambda_1se = json(cv$lambda.1se), confusion = json(unclass(found)),
    grouped_0.02 = json(c(predict(grouped, newx = classes$x[1:10, ], s = 0.02, type = "class")))), "    ")
}
cat('{"fits": [\n', paste(fits, collapse = ",\n"), '\n],\n"default": ', vignette(1e-7, 1e5, FALSE), ',\n"tight": ',
  vignette(1e-14, 1e8, TRUE), "\n}\n", sep = "")
