# The calls of glmnet's vignette, at its default threshold (the printed numbers) and at 1e-14 (the
# minimisers that the printed numbers approach), frozen in vignette.json.
#   Rscript tests/golden/vignette.R FOLDER_OF_THE_DATA_SETS > tests/golden/vignette.json

suppressPackageStartupMessages(library(glmnet))
folder <- commandArgs(trailingOnly = TRUE)[1]

read_data <- function(name) {
  table <- read.csv(gzfile(file.path(folder, paste0(name, ".csv.gz"))))
  list(x = as.matrix(table[, -1]), y = table[, 1])
}
quick <- read_data("glmnet_quickstart")
binomial <- read_data("glmnet_binomial")
poisson <- read_data("glmnet_poisson")

vignette <- function(thresh) {
  fit <- glmnet(quick$x, quick$y, thresh = thresh)
  x5 <- quick$x[1:5, ]
  cv <- sapply(c(0.06284188, 0.07569327), function(s) fit$lambda[which.min(abs(fit$lambda - s))])
  net <- glmnet(quick$x, quick$y, alpha = 0.2, weights = c(rep(1, 50), rep(2, 50)), nlambda = 20,
    thresh = thresh)
  half <- glmnet(binomial$x[1:70, ], binomial$y[1:70], family = "binomial", nlambda = 5,
    thresh = thresh, maxit = 1e7)
  assessed <- assess.glmnet(half, newx = binomial$x[71:100, ], newy = binomial$y[71:100])
  counts <- glmnet(poisson$x, poisson$y, family = "poisson", thresh = thresh)
  means <- predict(counts, newx = poisson$x[1:5, ], type = "response", s = c(0.1, 1))
  numbers <- list(
    coef_0.1 = coef(fit, s = 0.1), coef_0.5 = coef(fit, s = 0.5), predict_0.05 = predict(fit, x5, s = 0.05),
    coef_first_cv = coef(fit, s = cv[1]), predict_first_cv = predict(fit, x5, s = cv[1]),
    coef_second_cv = coef(fit, s = cv[2]), predict_second_cv = predict(fit, x5, s = cv[2]),
    net_deviance = 100 * net$dev.ratio, net_lambda = net$lambda,
    deviance = assessed$deviance, misclassification = assessed$class, auc = assessed$auc,
    mse = assessed$mse, mae = assessed$mae,
    poisson_coef_1 = coef(counts, s = 1), poisson_mean_0.1 = means[, 1], poisson_mean_1 = means[, 2])
  rows <- sapply(names(numbers), function(name)
    sprintf('"%s": [%s]', name, paste(sprintf("%.12g", as.vector(numbers[[name]])), collapse = ", ")))
  paste0("{\n    ", paste(rows, collapse = ",\n    "), "}")
}

cat('{\n  "default": ', vignette(1e-7), ',\n  "tight": ', vignette(1e-14), "\n}\n", sep = "")
