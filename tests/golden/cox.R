# Cox models of R's survival, frozen in cox.json: coefficients, partial likelihoods, hazards, curves, concordance, the
# test of proportional hazards and Kaplan-Meier curves, on six studies, with both ways to treat ties and with weights.
#   apt-get install --no-install-recommends r-base-core r-cran-survival r-cran-pec
#   Rscript tests/golden/cox.R FOLDER_OF_THE_DATA_SETS > tests/golden/cox.json
# `heart` (Crowley & Hu 1977) and `cgd` (Fleming & Harrington 1991) come with survival; their rows, (start, stop], stand
# in the file.  Weights come from the generator of glmnet.R.  `hazards` are cumulative, of each stratum at the frozen
# times, at linear predictor 0 (first row) and at those of the rows 1 and 2 of the table; `surv` the probabilities.
# Concordance is that of `score`, the linear predictor rounded down to eighths, so that there are ties.  Brier scores of
# the model and of the Kaplan-Meier curve of all rows are those of pec (Mogensen, Ishwaran & Gerds 2012).

suppressPackageStartupMessages({library(survival); library(pec)})
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

cell <- function(x) if (is.character(x)) sprintf('"%s"', x) else ifelse(is.finite(x), sprintf("%.17g", x), "null")
json <- function(x) if (is.list(x) && is.null(names(x))) rows(lapply(x, json)) else if (is.list(x))
  record(lapply(x, json)) else if (is.matrix(x)) rows(apply(x, 1, json, simplify = FALSE)) else
  if (length(x) == 1) cell(unname(x)) else paste0("[", paste(cell(unname(x)), collapse = ", "), "]")
rows <- function(items) paste0("[", paste(items, collapse = ",\n    "), "]")
record <- function(facts) paste0("{", paste0('"', names(facts), '": ', facts, collapse = ",\n   "), "}")

number <- function(...) as.matrix(data.frame(...)) + 0
complete <- function(table, names) table[complete.cases(table[names]), ]
veteran <- read_table("veteran")
lung <- complete(read_table("lung"), c("ph.ecog", "ph.karno", "pat.karno", "wt.loss"))
pbc <- complete(read_table("pbc"), c("protime", "stage"))
gbsg2 <- read_table("gbsg2")
kinds <- c("US:NIH", "US:other", "Europe:Amsterdam", "Europe:other")
studies <- list(
  veteran = with(veteran, list(y = number(time, status), x = number(trt, karno, diagtime, age, prior),
    strata = celltype)),
  lung = with(lung, list(y = number(time, status), x = number(age, sex, ph.ecog, ph.karno, pat.karno, wt.loss))),
  pbc = with(pbc, list(y = number(time, event), x = number(age, sex == "f", edema, bili, albumin, protime, stage))),
  gbsg2 = with(gbsg2, list(y = number(time, event), x = number(horTh == "yes", age, menostat == "Post", tsize,
    tgrade == "II", tgrade == "III", pnodes, progrec, estrec))),
  heart = with(heart, list(y = number(start, stop, event), x = number(age, year, surgery, transplant == 1))),
  cgd = with(cgd, list(y = number(tstart, tstop, status), x = number(treat == "rIFN-g", age, sex == "female",
    inherit == "autosomal", steroids, propylac), strata = kinds[match(hos.cat, kinds)])))

surv_of <- function(y) if (ncol(y) == 2) Surv(y[, 1], y[, 2]) else Surv(y[, 1], y[, 2], y[, 3])
spread <- function(values, most = 8) values[unique(round(seq(1, length(values), length.out = most)))]

curves <- function(fit, x, strata, times) {
  rows <- as.data.frame(rbind(0, x[1:2, ]))
  fitted <- survfit(fit, newdata = rows, se.fit = FALSE)
  lapply(seq_along(times), function(s) {
    of <- if (is.null(strata)) fitted else fitted[s, ]
    at <- findInterval(times[[s]], of$time)
    list(times = times[[s]], hazards = t(rbind(0, of$cumhaz)[at + 1, ]), surv = t(rbind(1, of$surv)[at + 1, ]),
      quantiles = quantile(of, c(0.25, 0.5, 0.75), conf.int = FALSE))
  })
}

concordances <- function(y, score, strata, w) {
  formula <- if (is.null(strata)) y ~ score else y ~ score + strata(strata)
  one <- function(kind) concordance(formula, weights = w, reverse = TRUE, timewt = kind)
  counts <- one("n")$count
  facts <- list(counts = if (is.matrix(counts)) colSums(counts) else counts, harrell = one("n")$concordance)
  if (ncol(y) == 2 && is.null(strata)) facts$uno <- one("n/G2")$concordance
  facts
}

kaplan_meier <- function(y, group, w) {
  fitted <- survfit(y ~ group, weights = w, se.fit = FALSE)
  lapply(seq_along(fitted$strata), function(g) {
    of <- fitted[g]
    at <- spread(seq_along(of$time), 6)
    list(times = of$time[at], surv = of$surv[at], at_risk = of$n.risk[at], events = of$n.event[at],
      quantiles = quantile(of, c(0.25, 0.5, 0.75), conf.int = FALSE))
  })
}

brier <- function(fit, y, x) {
  times <- unname(round(quantile(y[y[, 2] == 1, 1], 1:6 / 7)))
  fitted <- survfit(fit, newdata = as.data.frame(x), se.fit = FALSE)
  scores <- pec(list(model = t(summary(fitted, times = times)$surv)), Surv(time, event) ~ 1,
    data.frame(time = y[, 1], event = y[, 2]), times = times, exact = FALSE, start = NULL, cens.model = "marginal",
    splitMethod = "none", verbose = FALSE)$AppErr
  list(times = times, model = scores$model, without = scores$Reference)
}

fit_study <- function(study, ties, seed = 0) {
  of <- studies[[study]]
  state <<- seed
  y <- surv_of(of$y)
  x <- unname(of$x)
  colnames(x) <- paste0("x", seq_len(ncol(x)))
  w <- if (seed) 1 + floor(3 * draw(nrow(x))) else rep(1, nrow(x))
  group <- if (is.null(of$strata)) rep("", nrow(x)) else of$strata
  levels <- sort(unique(group), method = "radix")
  terms <- paste(c(colnames(x), if (!is.null(of$strata)) "strata(strata)"), collapse = " + ")
  fit <- coxph(as.formula(paste("y ~", terms)), cbind(as.data.frame(x), strata = group, w = w), weights = w,
    ties = ties, control = coxph.control(eps = 1e-15, iter.max = 100, toler.chol = 1e-16, timefix = FALSE), x = TRUE)
  score <- floor(8 * drop(x %*% coef(fit))) / 8
  dies <- of$y[, ncol(of$y)] == 1
  times <- lapply(levels, function(l) spread(sort(unique(of$y[dies & group == l, ncol(of$y) - 1]))))
  facts <- list(study = study, ties = ties, seed = seed, checksum = c(dim(x), sum(x), sum(x^2), colSums(of$y), sum(w)),
    beta = coef(fit), loglik = fit$loglik, strata = levels, concordance = concordances(y, score, of$strata, w))
  facts$zph <- sapply(c("identity", "km", "rank", "log"), function(g) if (g != "log" || min(times[[1]]) > 0)
    cox.zph(fit, g)$table[, "chisq"], simplify = FALSE)
  if (ties == "efron") {
    binary <- x[, which(apply(x, 2, function(v) length(unique(v)) == 2))[1]]
    facts$kaplan_meier <- kaplan_meier(y, binary, w)
  }
  if (!seed && ties == "efron" && ncol(y) == 2 && is.null(of$strata)) facts$brier <- brier(fit, y, x)
  facts$curves <- curves(fit, x, of$strata, times)
  facts
}

fits <- unlist(lapply(names(studies), function(study) list(fit_study(study, "efron"), fit_study(study, "breslow"),
  fit_study(study, "efron", 51), fit_study(study, "breslow", 51))), recursive = FALSE)
cat(json(list(rows = studies[c("heart", "cgd")], fits = fits)), "\n", sep = "")
