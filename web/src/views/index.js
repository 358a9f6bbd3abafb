/** The views of the report in their order. */
import { breakdown } from "./breakdown.js";
import { calibration } from "./calibration.js";
import { coefficients } from "./coefficients.js";
import { convexity } from "./convexity.js";
import { cv_curve } from "./cv_curve.js";
import { features } from "./features.js";
import { geometry } from "./geometry.js";
import { residuals } from "./residuals.js";
import { sigmoid } from "./sigmoid.js";

/** @type {import("../payload.js").View[]} */
export const VIEWS = [coefficients, cv_curve, features, geometry, sigmoid, calibration, residuals, convexity, breakdown];
