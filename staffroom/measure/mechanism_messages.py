"""Sentences about practice beside outcomes; part of `sentence.MESSAGES`. None says that a change of practice is why scores changed."""

from collections.abc import Mapping

PRACTICE: Mapping[str, str] = {
    # headline
    "practice_together": "Where observers saw practice change, scores rose too: over %(sites)d schools the two go together. "
    "That is an association, not a cause.",
    "practice_apart": "Where observers saw practice change more, scores rose less: over %(sites)d schools the two go apart. "
    "That is an association, not a cause.",
    "practice_both": "Observers saw practice change, and scores rose; whether they rose in the same schools cannot be told.",
    "practice_alone": "Observers saw practice change, but scores did not: any change of theirs is less than would matter.",
    "practice_scores_unclear": "Observers saw practice change; whether scores did, we cannot tell yet.",
    "practice_scores_fell": "Observers saw practice change for the better, but scores fell.",
    "practice_scores_alone": "Scores rose, but observers saw no change of practice that would matter: it may work in a way that "
    "they do not look at.",
    "practice_neither": "Neither practice nor scores changed by as much as would matter.",
    "practice_both_fell": "Observers saw practice become worse, and scores fell.",
    "practice_cannot_tell": "Whether practice changed where scores did, we cannot tell yet.",
    "practice_unknown": "What changed in “%(name)s” is not known.",
    "practice_hidden": "Too few teachers were rated with “%(name)s” to say anything.",
    # the measure
    "practice_rose": "“%(name)s” rose by %(size).2f SD of ratings (likely between %(low).2f and %(high).2f).",
    "practice_fell": "“%(name)s” fell by %(size).2f SD of ratings (the change is likely between %(low).2f and %(high).2f).",
    "practice_small": "Any change in “%(name)s” is likely small: between %(low).2f and %(high).2f SD of ratings.",
    "practice_unclear": "The change in “%(name)s” is likely between %(low).2f and %(high).2f SD of ratings.",
    "practice_no_interval": "How much “%(name)s” changed cannot be told with an interval from so few schools.",
    # over sites
    "practice_link": "Correlation of both effects over %(sites)d schools, with the error of either taken out: %(correlation).2f "
    "(likely between %(low).2f and %(high).2f).",
    "practice_link_unclear": "Over %(sites)d schools the correlation of both effects may lie anywhere between %(low).2f and "
    "%(high).2f: that is too wide to say whether they go together.",
    "practice_few_sites": "%(sites)d schools show both effects; fewer than %(limit)d are too few to say whether they go together.",
    "practice_signs": "In %(both)d of them both estimates lie above zero, in %(practice)d only that of practice, in %(outcome)d "
    "only that of scores.",
    # to bear in mind
    "practice_no_raters": "Who observed is not known, so what observers differ by in strictness is not taken out.",
    "practice_left_unknown": "%(ratings)d ratings of teachers or terms without results are left out.",
    "practice_left_raters": "%(ratings)d ratings are left out, by observers who rated hardly anybody without the activity: how "
    "strict they are cannot be told.",
}
