"""What a reader who is no statistician wants to have explained: the questions and answers at the end of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normball.language import message, tr

if TYPE_CHECKING:
    from normball.family import Family

READING = (
    (
        message("What is lambda?"),
        message(
            "lambda is the strength of the penalty: how much each unit of coefficient costs. With a strong penalty "
            "all coefficients are small or zero; as it weakens they grow, and the model follows the fitted rows "
            "more closely. Move the slider from left (strong) to right (weak) and watch every chart follow."
        ),
    ),
    (
        message("What do the marks best and 1-SE mean?"),
        message(
            "lambda_best is where held-out rows, those that a fit did not use, are predicted best. lambda_1se is the "
            "strongest penalty "
            "that is within one standard error of that: a simpler model that the data cannot tell from the best "
            "one. Errors are given as deviance (0 is perfect; compare it with the model without features), or, for "
            "numbers, as root mean squared error in the unit of the target."
        ),
    ),
    (
        message("Why are some coefficients exactly zero?"),
        message(
            "The L1 part of a penalty costs the same for every bit of a coefficient, down to the last: unless a "
            "feature reduces the error by more than that, its coefficient stays at zero. The L2 part costs almost "
            "nothing close to zero, so it shrinks all coefficients without removing any. The chart of two features "
            "shows both: a ball with corners is mostly touched at a corner, a round one is not."
        ),
    ),
    (
        message("Which features matter most?"),
        message(
            "Coefficients per SD can be compared with one another: each says what one standard deviation of its "
            "feature does. Coefficients per unit belong to the feature as it stands in the table. They are shrunken"
            " towards zero on purpose, and no p-values are given, since features that were selected on these rows "
            "would pass any test on them."
        ),
    ),
    (
        message("How sure is the selection?"),
        message(
            "Among features that say nearly the same, L1 keeps one more or less by chance: see in how many folds "
            "each was kept. A column of levels counts the folds that kept any of them, since the same difference "
            "can be told by one level or by another; the folds that kept a level itself stand in its own line, or "
            "in brackets. A feature that was not kept is not thereby without effect."
        ),
    ),
    (
        message("What are the levels of a column measured against?"),
        message(
            "No level is left out beforehand, unless a baseline was asked for, from which the others then differ. "
            "With L1 the levels that are not kept have the coefficient 0, and the others say how they differ from "
            "these. With L2 every level has a coefficient, and they say how far it is from the average of its "
            "column; only differences between levels count. A level that one or two rows have is told by these rows "
            "alone, which is why such levels stand apart."
        ),
    ),
    (
        message("When are large coefficients bad?"),
        message(
            "Large coefficients make large predictions. For yes/no targets they push probabilities towards 0 and 1,"
            " where the slope of the sigmoid is flat: the model is very sure, whether it is right or not. The gap "
            "between the error on fitted and on held-out rows shows how much of it was learned by heart."
        ),
    ),
    (
        message("Do these coefficients say what causes what?"),
        message(
            "No. They say what goes along with the target in these rows, given the other features. What-if "
            "predictions are what the model expects for a row with such values, not what follows if somebody "
            "changes them."
        ),
    ),
    (
        message("How do I know that the numbers are right?"),
        message(
            "The duality gap proves how far a solution can be from the optimum at most, relative to the loss of a "
            "model without features; no other program can find a solution that is better by more than this. The "
            "code for other programs is there to try it."
        ),
    ),
)


READING_OF_CLASSES = (
    (
        message("What does a coefficient of one class among several say?"),
        message(
            "Each class has coefficients of its own. One that is positive says that the class grows more probable "
            "as the feature grows, against the other classes; only differences between classes count, so that a "
            "class whose coefficient is zero is not thereby untouched. The probabilities of a row add up to 1. The "
            "table of classes shows which of them the model cannot tell apart."
        ),
    ),
)


READING_OF_TIMES = (
    (
        message("What is a hazard ratio?"),
        message(
            "The hazard is how often the event happens just now among those who are still without it. Where a step "
            "of a feature multiplies it by 1.28, rows with one step more have their event sooner: at any time 1.28 "
            "times as many of them as of rows that are alike but for that. Cox's model takes this to be the same at"
            " all times, and says nothing about the hazard itself: a baseline, found after the fit, gives the "
            "curves of survival."
        ),
    ),
    (
        message("What do concordance and deviance say of times to an event?"),
        message(
            "Concordance is the share of pairs of rows in which the one with the higher risk has its event first, "
            "among those where this can be known; 0.5 is chance, 1 is a perfect order. The deviance of the partial "
            "likelihood also asks how far risks lie apart. For held-out rows it is what they add to the deviance of"
            " the others, per event, so that it has no like on the fitted rows; compare it with the model without "
            "features."
        ),
    ),
    (
        message("What are rows at risk?"),
        message(
            "Rows that were under observation at a time and still without the event. Where few are left, curves "
            "jump and say little. A Kaplan-Meier estimate counts every row as long as it was seen, so that rows "
            "that were lost from sight (censored) neither have the event nor are taken to stay without it."
        ),
    ),
)


def reading(family: Family) -> list[tuple[str, str]]:
    """The questions that a model of this family raises, with their answers."""
    own = READING_OF_TIMES if family.has_risk_sets else READING_OF_CLASSES if _has_several_classes(family) else ()
    return [(tr(heading), tr(text)) for heading, text in (*READING, *own)]


def _has_several_classes(family: Family) -> bool:
    return family.has_classes and family.has_outputs
