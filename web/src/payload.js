/**
 * What a report holds about its model: written by `normball/report/payload.py` and `evidence.py`, read by every view.
 * Arrays named "by lambda" follow `lambdas`. Coefficients are per unit of the column; times `scale` they are per SD.
 *
 * @typedef {object} Feature one of at most 60 features, those that count most first
 * @property {string} name as people read it: "hr: 4" for the level 4 of the column hr
 * @property {string} key as the model and its files call it: "hr = 4"
 * @property {number} scale its standard deviation
 * @property {number | null} mean null without evidence
 * @property {number[]} coefs by lambda, all digits; of several outputs the length over them, never negative
 * @property {number[][] | null} by_output of several outputs: the coefficients for each, by lambda; else null
 * @property {number[] | null} own_counts by lambda: in how many it was kept itself, where another feature of its column may say something else
 *
 * @typedef {object} Column of the table. A place counts `features`, then `others`; null where such a feature is never kept
 * @property {string} name
 * @property {boolean} is_number whether its values are numbers, with a level for the missing ones if there were any; else it has levels alone
 * @property {number | null} number the place of the number itself
 * @property {[number, number, number] | null} range of a number: the least, middle and largest value; null without evidence
 * @property {boolean} whole whether all values are whole numbers
 * @property {number | null} fill what stands in for a missing number
 * @property {string[]} levels
 * @property {(number | null)[]} places by level
 * @property {number[] | null} n_rows by level; null where an older model does not know
 * @property {boolean[] | null} indicators by level: whether a row has it or has it not; null where all are such, else these are features of other kinds, such as words
 * @property {number} n_features how many it gives; of kinds other than levels those that are never kept do not stand here
 * @property {string[]} few_rows by level: "1 row", "all but 2 rows" where so few tell it from the others, else ""
 * @property {number[] | null} counts by lambda: in how many folds it was kept, by whichever level; null for ridge, and where no feature is listed
 * @property {boolean} settable whether what-if can set it: all that it ever adds is here
 *
 * @typedef {object} CrossValidation
 * @property {number[]} mean by lambda
 * @property {(number | null)[]} se
 * @property {number[] | null} train null where held-out rows are compared with the fitted ones, so that these have no such score
 * @property {(number | null)[][]} folds at most 20 folds, each by lambda
 * @property {number} n_folds
 * @property {string} score its name, as "deviance"
 * @property {boolean} by_root whether it is a mean squared error, shown by its root in the unit of the target
 * @property {number | null} explained_of the deviance whose explained share says more of held-out rows than the score
 * @property {boolean} greater_is_better
 * @property {number | null} null_score of the model without features
 * @property {(number | null)[] | null} concordance of times to an event: how well held-out rows are ranked, by lambda
 * @property {(number | null)[] | null} concordance_se
 * @property {number} best index of lambda_best
 * @property {number} one_se index of lambda_1se
 *
 * @typedef {object} Mix one of the penalties that were compared
 * @property {string} name
 * @property {number} l1_ratio
 * @property {number[]} n_nonzero by its own lambdas, as the next one
 * @property {(number | null)[]} mean score of held-out rows
 * @property {number} best index of its lambda_best
 * @property {number} one_se index of its lambda_1se
 * @property {number} loss how much worse its best model is than the best of all: the mean of paired differences over folds
 * @property {number | null} loss_se its standard error
 *
 * @typedef {object} Comparison of penalties on the same folds
 * @property {Mix[]} mixes
 * @property {number | null} null_mean score of the model without features
 * @property {number} current which of them this payload is about
 *
 * @typedef {object} Output one of several: a class, or a target
 * @property {string} name
 * @property {number[]} intercepts by lambda
 * @property {number[] | null} rest by lambda, as that of the payload
 *
 * @typedef {object} Payload
 * @property {string} version of normball
 * @property {string} title name of the target
 * @property {string} family its name, to be shown
 * @property {import("./mathematics.js").Mathematics} mathematics
 * @property {Comparison | null} comparison of this penalty with others; null where it is alone
 * @property {string} penalty in words: "L1", "L2", "elastic net (l1_ratio 0.5)"
 * @property {number} l1_ratio
 * @property {number} n_groups groups of features that the penalty acts on; 0 where it acts on single coefficients alone
 * @property {boolean} standardize
 * @property {string[]} classes of a target of classes, of two: the first is 0, the second is 1; else empty
 * @property {Output[]} outputs where a row has several predictions; else empty
 * @property {boolean} grouped whether the penalty takes a feature for all outputs or for none
 * @property {number} n_rows
 * @property {number} n_features
 * @property {number[]} lambdas descending
 * @property {number} picked index of the choice that the page opens with
 * @property {[string, string][]} answers by lambda: what was found, and how good it is on held-out rows
 * @property {number[]} intercepts by lambda; empty for several outputs, which have their own
 * @property {number[] | null} rest by lambda: intercept + what the features of columns that cannot be set add at their means; null without evidence
 * @property {number[]} n_nonzero by lambda
 * @property {number[]} norms by lambda: the L1 norm per SD
 * @property {number[]} deviance_ratio by lambda
 * @property {number[]} dual_gaps by lambda, of the null loss
 * @property {number[]} kkt by lambda
 * @property {string[]} statuses by lambda
 * @property {CrossValidation | null} cv
 * @property {Feature[]} features
 * @property {{ name: string, key: string, scale: number, coefs: [number, number][], by_output: [number, number][][] | null }[]} others other features that are ever kept, as [index of lambda, coefficient], or of several outputs the length over them, with the coefficients of each output where they complete a column; where too many, those that complete a column
 * @property {boolean} others_complete whether `features` and `others` are all that are ever kept
 * @property {Column[]} columns of the table that have a feature here, those that count most first
 * @property {number} n_columns of the table
 * @property {number[]} columns_kept by lambda
 * @property {Hazards | null} hazards of times to an event
 * @property {string} time_name of the column of times
 * @property {string[][]} recipes code that gives the model again, for each program by lambda; "" where there is none
 * @property {Ranges | null} ranges of coefficients over bootstrap samples; null where none were drawn
 * @property {Ranges | null} fold_ranges over the models of the folds; null where these are not known
 * @property {Evidence | null} evidence what needs the data themselves; null where they were not at hand
 *
 * @typedef {{ at: number[], n_fits: number, middle: number, low: number[][], high: number[][], counts: number[][] }} Ranges ends of the middle share of the coefficients per SD over so many samples, and in how many they are not zero, of each listed feature for the indices of lambda `at`
 *
 * @typedef {{ strata: string[], times: number[][], ends: (number | null)[], centres: number[][], steps: number[][][] }} Hazards by stratum (names are empty where there is one): the times of events, the last time that was seen; the logarithms of the cumulative hazards at linear predictor 0 are the centre of a lambda plus the steps of all lambdas up to it, in thousandths
 * @typedef {{ times: number[], ticks: number[], survival: (number | null)[][][], ends: number[][], medians: (number | null)[][], at_risk: number[][][], events: number[][] }} SurvivalCurves Kaplan-Meier at `times` and rows at risk at `ticks`, by place in `at` and group, the lowest risk first
 * @typedef {{ predicted: (number | null)[][], observed: (number | null)[][], se: (number | null)[][], counts: number[][], events: number[][] }} SurvivalCalibration survival up to one of the horizons in groups with like predictions, by place in `at`
 * @typedef {{ horizons: number[], reached: number[], horizon: number, at?: number[], curves: SurvivalCurves | null, calibration: SurvivalCalibration[] | null }} SurvivalEvidence out of fold, for the indices of lambda `at`; null without such predictions; the times up to which survival is told, the share of the events by each, the place of the one to open with
 *
 * @typedef {object} Slice loss near the solution when two coefficients (per SD) move and all others stay
 * @property {number} j index in features
 * @property {number} k
 * @property {number} at index of lambda
 * @property {[number, number]} x range of the coefficient of j (per SD)
 * @property {[number, number]} y range of the coefficient of k
 * @property {number} size points along a side
 * @property {[number, number, number]} hessian of the loss at the solution: its entries jj, jk, kk
 * @property {number[]} beyond what the loss has beyond its quadratic about the solution, over the cube of the distance: size*size values, row by row (y slow, x fast)
 *
 * @typedef {{ predicted: (number | null)[][], observed: (number | null)[][], se: (number | null)[][], counts: number[][], spans: [number, number][][] | null, brier: (number | null)[], log_loss: (number | null)[] }} Calibration
 * @typedef {{ edges: number[], counts: number[][], quantiles: number[][] }} Residuals histogram of y - mu by lambda; 5, 25, 50, 75, 95 % points
 * @typedef {{ at: number[], named: number[], counts: number[][], right: number[], n_rows: number, commonest: number, n_commonest: number }} Confusion rows by their class (slow) and the likeliest one (fast), for the indices of lambda `at`: of the classes `named`, and where these are not all of all others together; rows that are right by lambda; the commonest class and its rows
 * @typedef {{ cutoffs: number[], positive: number[][], negative: number[][], auc: (number | null)[], average_precision: (number | null)[] }} Decisions rows of the second and of the first class with a probability up to the first cut-off, between two, and above the last, by lambda; area under the ROC curve and mean precision, null where too dear
 * @typedef {{ at: number[], predicted: (number | null)[][], quantiles: (number | null)[][][], counts: number[][], rmse: (number | null)[], mae: (number | null)[], zeros: ((number | null)[] | null)[], zero_shares: (number[] | null)[] }} Observed groups of rows with like predictions, for the indices of lambda `at`: 5, 25, 50, 75, 95 % points of their targets; errors of all rows; of counts how many are zero, how many are expected, and one standard error, and which share of each group is zero
 * @typedef {{ at: number[], overall: (number | null)[], n_groups: number, by_chance: number, told: { name: string, n_rows: number, error: number, excess: number, bias: number, bias_se: number }[][] }} RowGroups the groups by single columns with the largest error, for the indices of lambda `at`: share of wrong rows or mean absolute error, its distance from that of all rows in standard errors, mean of target less prediction; what the largest distance of `n_groups` groups reaches by chance
 * @typedef {{ at: number[], calibration: Calibration[] | null, residuals: Residuals[] | null, confusion: Confusion | null, errors: { rmse: number[][], null: number[] } | null }} OutputsEvidence calibration (each class against the rest) and residuals by output, for the indices of lambda `at`; root mean squared error by output and lambda, and that of the mean alone
 *
 * @typedef {object} Evidence statistics of the data; never a row of them
 * @property {number[]} loss by lambda: mean loss of the rows
 * @property {number[]} penalty_l1 by lambda: sum |b| with penalty factors, as the objective counts it
 * @property {number[]} penalty_l2 by lambda: sum b^2 / 2 likewise (the penalty is lambda (l1_ratio penalty_l1 + (1 - l1_ratio) penalty_l2))
 * @property {number} null_loss
 * @property {number[]} factors penalty factor of each listed feature
 * @property {number[][]} gradients by lambda, for each listed feature: +d loss / d (coefficient per SD)
 * @property {number[]} hessians_at indices of lambda for which `hessians` holds one matrix; one entry, [0], for squared error, whose matrix is the same everywhere
 * @property {number[][]} hessians each a packed lower triangle (row by row) of the first `n_hessian` features, per SD
 * @property {number} n_hessian
 * @property {number[]} alone squared error: covariance of each of these features with the target (per SD); else empty
 * @property {Slice[]} slices exact losses on grids ("in this model"); empty for squared error, where the quadratic is exact
 * @property {{ j: number, k: number, x: [number, number], y: [number, number], size: number, loss: number[], path: [number, number][], mle: [number, number] | null }[]} pairs two features alone: loss on a grid, solutions by lambda, the unpenalised end if finite; squared error: empty (closed form)
 * @property {{ edges: number[], counts: number[][], flat: number[], largest: number[], negative: number[][] } | null} margins of classes: histogram of eta (edges), rows by lambda and bin for class 1 (counts) and class 0 (negative); share of rows with slope below 0.01; largest |eta|
 * @property {{ at: number[], factors: number[], train: number[][], held_out: (number | null)[][], gradient: number[][] } | null} scaling of classes: weights times 0.1 ... 10: mean cross-entropy on the fitted and on held-out rows, mean |p - y|, for the indices of lambda `at`
 * @property {Calibration | null} calibration out of fold, by lambda, in at most 10 bins of equal counts; for numbers with the 10 and 90 % points of the targets of each
 * @property {Residuals | null} residuals of numbers, out of fold where possible
 * @property {Decisions | null} decisions two classes, out of fold
 * @property {Observed | null} observed numbers and counts, out of fold
 * @property {RowGroups | null} row_groups out of fold
 * @property {SurvivalEvidence | null} survival of times to an event
 * @property {OutputsEvidence | null} outputs what held-out rows say of several outputs; null for one, and where no such predictions are at hand
 * @property {{ at: number[], t: number[], loss: number[][], penalty: number[][] } | null} convexity along the line from the null model (t=0) to the solution (t=1) and beyond, for the indices of lambda `at`; penalty with that lambda
 * @property {boolean} held_out whether predictions of held-out rows were at hand
 */

/**
 * What the reader has chosen; one for the whole page.
 * @typedef {object} State
 * @property {number} index of lambda
 * @property {"lambda" | "norm" | "deviance"} axis of the path
 * @property {boolean} per_sd whether coefficients are shown per SD
 * @property {number | null} hovered index of the feature under the pointer or the focus
 * @property {[number, number]} pair features in the geometry
 * @property {"model" | "alone"} slice
 * @property {number} scaling factor of the weights, 0.1 ... 10
 * @property {string} filter of names
 * @property {Record<string, number | "missing">} inputs of what-if by index of the column: the number, or the index of the level
 * @property {number} cutoff place of the probability above which a row is called the second class
 * @property {number} cost_missed of a row of the second class that is not called so
 * @property {number} cost_alarm of a row of the first class that is called the second
 * @property {number} output index of the class or target that is shown by itself
 * @property {number} stratum of the row of what-if
 * @property {number} horizon place of the time up to which survival is told
 * @property {boolean} narrow whether the window is as narrow as that of a phone
 */

/**
 * What a view shows: a drawing and the same numbers as a table.
 * @typedef {object} Shown
 * @property {string} svg
 * @property {string} sentence what to see, in a sentence, with the numbers of this state
 * @property {{ head: string[], rows: (string | number)[][] }} table
 */

/**
 * @typedef {object} View
 * @property {string} id
 * @property {string} title
 * @property {(data: Payload) => string} missing "" where it can be drawn, else why not, for the reader
 * @property {(data: Payload, state: State) => Shown} draw a pure function: no document, no clock, no chance
 */

/** The state a page opens with. @param {Payload} data @returns {State} */
export function opening(data) {
  return {
    index: data.picked,
    axis: "lambda",
    per_sd: true,
    hovered: null,
    pair: largestTwo(data),
    slice: "model",
    scaling: 1,
    filter: "",
    inputs: {},
    cutoff: Math.max(0, data.evidence?.decisions?.cutoffs.indexOf(0.5) ?? 0),
    cost_missed: 1,
    cost_alarm: 1,
    output: 0,
    stratum: 0,
    horizon: data.evidence?.survival?.horizon ?? 0,
    narrow: false,
  };
}

/** The two largest per SD of the first four, whose loss is on grids. @param {Payload} data @returns {[number, number]} */
function largestTwo({ features, picked }) {
  const size = features.slice(0, 4).map((feature) => Math.abs(feature.coefs[picked] * feature.scale));
  const order = [...size.keys()].sort((j, k) => size[k] - size[j]);
  return [order[0] ?? 0, order[1] ?? 0];
}
