# The worker of glmnet: the same words in and lines out as benchmarks/worker.py, which describes them.
suppressMessages({library(glmnet); library(Matrix)})

say <- function(...) { cat("@", jsonlite::toJSON(list(...), auto_unbox = TRUE, digits = NA), "\n", sep = ""); flush(stdout()) }
memory <- function(field) {
  line <- grep(paste0("^", field, ":"), readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}
forget_peak <- function() try(cat("5", file = "/proc/self/clear_refs"), silent = TRUE)

read_doubles <- function(path) readBin(path, "double", file.size(path) / 8)
read_ints <- function(path) readBin(path, "integer", file.size(path) / 4, size = 4)

page <- jsonlite::fromJSON(commandArgs(TRUE)[1])
own_units <- page$raw != ""
folder <- if (own_units) page$raw else page$X
if (page$sparse) {
  X <- new("dgCMatrix", x = read_doubles(file.path(folder, "values.bin")), i = read_ints(file.path(folder, "indices.bin")),
           p = read_ints(file.path(folder, "indptr.bin")), Dim = c(page$n, page$p))
} else {
  X <- read_doubles(file.path(folder, "X.bin"))
  dim(X) <- c(page$n, page$p)
}
y <- read_doubles(page$y)
is_cox <- startsWith(page$family, "cox")
if (is_cox) y <- survival::Surv(y[c(TRUE, FALSE)], y[c(FALSE, TRUE)])
n_outputs <- max(1, page$n_outputs)  # pages of before have none
if (n_outputs > 1) y <- matrix(y, ncol = n_outputs, byrow = TRUE)
if (page$family == "multinomial") y <- factor(max.col(y), levels = seq_len(n_outputs))
offset <- if (page$offset != "") read_doubles(page$offset) else NULL
lambdas <- read_doubles(page$lambdas)
foldid <- read_ints(page$folds) + 1L

# the strengths and the mix by which glmnet solves our problem
alpha <- page$l1_ratio
strengths <- lambdas
if (page$family == "gaussian" && alpha < 1) {
  unit <- sqrt(mean((y - mean(y))^2))
  factor <- alpha + (1 - alpha) * unit
  strengths <- lambdas * factor
  alpha <- alpha / factor
}
parameter <- suppressWarnings(as.numeric(sub(".*\\((.*)\\)", "\\1", page$family)))  # NA where the family has no parameter
family <- switch(sub("\\(.*", "", page$family),
                 gamma = Gamma("log"), tweedie = statmod::tweedie(var.power = parameter, link.power = 0),
                 negative_binomial = MASS::negative.binomial(parameter), multigaussian = "mgaussian", cox = "cox", page$family)
grouped <- if (page$family == "multinomial") list(type.multinomial = if (page$grouped) "grouped" else "ungrouped")
glmnet.control(fdev = 0, devmax = 1)  # no early end of the path
arguments <- function(thresh) {
  # an object's reweighting has a tolerance of its own, which glmnet wants to be the looser one
  if (inherits(family, "family")) glmnet.control(epsnr = 10 * thresh, mxitnr = 10000)
  c(list(X, y, family = family, alpha = alpha, lambda = strengths, offset = offset, standardize = own_units,
         thresh = thresh, maxit = 1e7), grouped)
}
fit_path <- function(thresh) do.call(glmnet, arguments(thresh))
fit_cv <- function(thresh) do.call(cv.glmnet, c(arguments(thresh), list(foldid = foldid)))

write_solution <- function(fit, stem) {
  beta <- fit$beta
  if (n_outputs > 1) {  # a matrix for each output: its strengths become every n_outputs-th column
    n_strengths <- ncol(beta[[1]])
    beta <- do.call(cbind, beta)[, as.vector(t(matrix(seq_len(n_strengths * n_outputs), n_strengths))), drop = FALSE]
  }
  beta <- as(beta, "CsparseMatrix")
  a0 <- if (is_cox) numeric(ncol(beta)) else as.numeric(fit$a0)
  if (own_units) {  # into the coefficients of the standardised columns
    scales <- read_doubles(file.path(folder, "scales.bin"))
    a0 <- a0 + as.numeric(crossprod(beta, read_doubles(file.path(folder, "means.bin"))))
    beta <- as(Diagonal(x = scales) %*% beta, "CsparseMatrix")
  }
  writeBin(a0, paste0(stem, ".intercepts"))
  writeBin(as.numeric(beta@x), paste0(stem, ".values"))
  writeBin(beta@i, paste0(stem, ".indices"))
  writeBin(beta@p, paste0(stem, ".indptr"))
}

# a small problem of the same kind, as benchmarks/worker.py solves it before anything is timed
warm_up <- function() {
  set.seed(0)
  dense <- matrix(rnorm(480), 60)
  small <- if (page$sparse) as(dense * (dense > 0), "CsparseMatrix") else dense
  response <- dense[, 1] + 0.5 * rnorm(60)
  target <- switch(sub("\\(.*", "", page$family), gaussian = response, binomial = as.numeric(response > 0),
                   gamma = exp(response), multinomial = factor((0:59 %/% 3) %% n_outputs),  # each class in every fold
                   cox = survival::Surv(exp(response), 0:59 %% 4 > 0), multigaussian = response + dense[, (seq_len(n_outputs) - 1) %% 8 + 1], floor(exp(response)))
  common <- c(list(small, target, family = family, alpha = alpha, lambda = c(0.3, 0.1), standardize = own_units), grouped)
  do.call(glmnet, common)
  do.call(cv.glmnet, c(common, list(foldid = rep(1:3, 20))))
}
invisible(suppressWarnings(warm_up()))
invisible(gc())
say(ready = TRUE, versions = list(glmnet = as.character(packageVersion("glmnet")), R = as.character(getRversion())))

input <- file("stdin", "r")
while (length(line <- readLines(input, 1)) > 0) {
  words <- strsplit(line, " ", fixed = TRUE)[[1]]
  task <- words[1]; rung <- as.numeric(words[2]); number <- as.integer(words[3]); stem <- words[4]
  solve <- if (task == "path") fit_path else fit_cv
  tryCatch({
    gc(); forget_peak()
    before <- memory("VmRSS")
    t <- system.time(for (i in seq_len(number)) fit <- solve(rung))
    peak <- memory("VmHWM") - before
    facts <- list(seconds = t[["elapsed"]] / number, cpu = sum(t[-3]) / number, extra_mib = peak)
    if (task == "path" && stem != "-") write_solution(fit, stem)
    if (task == "cv") facts$best <- which(strengths == fit$lambda.min) - 1L
    do.call(say, facts)
  }, error = function(e) say(error = conditionMessage(e)))
}
