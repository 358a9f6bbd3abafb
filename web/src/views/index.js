/** The views of the report in their order. */
import { coefficients } from "./coefficients.js";
import { cv_curve } from "./cv_curve.js";
import { features } from "./features.js";

/** @type {import("../payload.js").View[]} */
export const VIEWS = [coefficients, cv_curve, features];
