# Fits of R's glmnet with family objects to two public tables, frozen in families.json: gamma and
# tweedie on Belgian motor claims (beMTPL97), negative binomial on hourly counts of rented bicycles.
#   apt-get install --no-install-recommends r-base-core r-cran-glmnet r-cran-statmod r-cran-mass
#   Rscript tests/golden/families.R FOLDER_OF_THE_DATA_SETS > tests/golden/families.json
# `objective` is normball's: mean half deviance + lam * sum(l1_ratio |b s| + (1 - l1_ratio)/2 (b s)^2),
# `lambdas` and `l1_ratio` are glmnet's as they are.  glmnet stops its Fisher scoring where the
# objective changes by less than a share `epsnr` in one step; smaller shares are lost in rounding.
# Its full steps go round in circles where lambda is large and the counts far from their means, 3e-7
# above the minimum: for the bicycles the grid starts lower, at 0.4 lambda_max.

suppressPackageStartupMessages({library(glmnet); library(statmod); library(MASS)})
glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-12, mxitnr = 500)
folder <- commandArgs(trailingOnly = TRUE)[1]
read_table <- function(name) read.csv(gzfile(file.path(folder, paste0(name, ".csv.gz"))))

# One column of zeros and ones for each level but the first in the order of their bytes.
levels_of <- function(x) sort(unique(as.character(x)), method = "radix")
indicators <- function(table, names) do.call(cbind, lapply(names, function(name) {
  wanted <- levels_of(table[[name]])[-1]
  sapply(wanted, function(level) as.numeric(as.character(table[[name]]) == level))
}))
design <- function(table, numbers, texts) unname(cbind(as.matrix(table[numbers]), indicators(table, texts)))

solve_problem <- function(name, family, object, X, y, w, l1_ratio = 1, top = -0.05) {
  share <- w / sum(w)
  centred <- sweep(X, 2, colSums(share * X))
  s <- sqrt(colSums(share * centred^2))
  mu <- sum(share * y)
  null_gradient <- colSums(share * centred * (mu - y) * object$mu.eta(log(mu)) / object$variance(mu)) / s
  lambdas <- max(abs(null_gradient)) / l1_ratio * 10^seq(top, -3, length.out = 20)
  fit <- glmnet(X, y, family = object, weights = w, alpha = l1_ratio, lambda = lambdas, thresh = 1e-14,
    maxit = 1e8)
  stopifnot(length(fit$lambda) == length(lambdas), fit$jerr == 0)
  beta <- as.matrix(fit$beta)
  objective <- sapply(seq_along(lambdas), function(l) {
    eta <- fit$a0[l] + as.vector(X %*% beta[, l])
    b <- beta[, l] * s
    sum(object$dev.resids(y, exp(eta), share)) / 2 +
      lambdas[l] * sum(l1_ratio * abs(b) + (1 - l1_ratio) / 2 * b^2)
  })
  cell <- function(x) if (is.character(x)) sprintf('"%s"', x) else sprintf("%.17g", x)
  json <- function(x) if (length(x) == 1) cell(x) else paste0("[", paste(cell(x), collapse = ", "), "]")
  rows <- function(f) paste0("[", paste(sapply(seq_along(lambdas), function(l)
    paste0("[", paste(cell(f(l)), collapse = ", "), "]")), collapse = ",\n    "), "]")
  columns <- lapply(seq_along(lambdas), function(l) which(beta[, l] != 0))
  facts <- c(name = json(name), family = json(family), l1_ratio = json(l1_ratio),
    checksum = json(c(dim(X), sum(X), sum(X * X), sum(y), sum(w), sum(w * y))),
    lambdas = json(lambdas), a0 = json(unname(fit$a0)), objective = json(objective),
    columns = rows(function(l) columns[[l]] - 1), beta = rows(function(l) beta[columns[[l]], l]))
  paste0("  {", paste0('"', names(facts), '": ', facts, collapse = ",\n   "), "}")
}

policies <- read_table("beMTPL97")
with_claims <- policies[policies$amount > 0, ]
hours <- read_table("bikeshare")
of_policies <- function(table) design(table, c("ageph", "bm", "power", "agec", "fleet", "long", "lat"),
  c("coverage", "sex", "fuel", "use"))

problems <- list(
  solve_problem("severity weighted by claims", "gamma", Gamma("log"), of_policies(with_claims),
    with_claims$amount / with_claims$nclaims, with_claims$nclaims),
  solve_problem("pure premium weighted by exposure", "tweedie(1.5)", tweedie(1.5, 0),
    of_policies(policies), policies$amount / policies$expo, policies$expo, l1_ratio = 0.5),
  solve_problem("bikes rented in an hour", "negative_binomial(2)", negative.binomial(2, "log"),
    design(hours, c("temp", "hum", "windspeed", "holiday"), c("mnth", "hr", "weekday", "weathersit")),
    hours$bikers, rep(1, nrow(hours)), top = -0.4)
)
cat("[\n", paste(problems, collapse = ",\n"), "\n]\n", sep = "")
