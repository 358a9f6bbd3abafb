/** The views of the report in their order. */
import { breakdown } from "./breakdown.js";
import { calibration } from "./calibration.js";
import { coefficients } from "./coefficients.js";
import { confusion } from "./confusion.js";
import { convexity } from "./convexity.js";
import { cv_curve } from "./cv_curve.js";
import { decisions } from "./decisions.js";
import { effects } from "./effects.js";
import { errors } from "./errors.js";
import { features } from "./features.js";
import { geometry } from "./geometry.js";
import { mixes } from "./mixes.js";
import { observed } from "./observed.js";
import { ranges } from "./ranges.js";
import { residuals } from "./residuals.js";
import { row_groups } from "./row_groups.js";
import { sigmoid } from "./sigmoid.js";
import { survival_calibration } from "./survival_calibration.js";
import { survival_curves } from "./survival_curves.js";

/** @type {import("../payload.js").View[]} */
export const VIEWS = [effects, cv_curve, mixes, features, survival_curves, survival_calibration, ranges, decisions, confusion, errors, observed, row_groups, calibration, residuals, coefficients, geometry, sigmoid, convexity, breakdown];
