"""Words of decisions and answers, beside those in `sentence`: message ids and English text."""

from collections.abc import Mapping
from types import MappingProxyType

ANSWERS: Mapping[str, str] = MappingProxyType(
    {
        "branch_randomized": "Who took part first was drawn by lot (%(drawn)d drawn, %(others)d not): the two are "
        "compared.",
        "branch_students_drawn": "Which students took part was drawn by lot (%(drawn)d drawn, %(others)d not): students are "
        "compared.",
        "branch_students_thin": "An assignment of students by lot is recorded, but %(drawn)d drawn and %(others)d others "
        "with outcomes are too few to compare.",
        "branch_no_lottery": "No assignment by lot is recorded.",
        "branch_lottery_thin": "An assignment by lot is recorded, but %(drawn)d drawn and %(others)d others with "
        "outcomes are too few to compare.",
        "branch_cutoff": "A cutoff decided who took part: on either side of it at least %(share).0f in 100 did as the rule "
        "says.",
        "branch_no_cutoff": "No cutoff is recorded that decided who took part.",
        "branch_cutoff_loose": "A cutoff is recorded, but only %(share).0f in 100 did as the rule says on one side; "
        "%(limit).0f are needed.",
        "branch_cutoff_thin": "A cutoff is recorded, but only %(teachers)d teachers stand on one side of it.",
        "branch_few": "%(teachers)d teachers took part, fewer than %(limit)d.",
        "branch_not_few": "%(teachers)d teachers took part, enough for a comparison of groups.",
        "branch_single_case": "Each of %(cases)d teachers has at least %(limit)d ratings before and while taking part: "
        "each is compared with herself.",
        "branch_no_cases": "No teacher has %(limit)d ratings both before and while taking part.",
        "branch_staggered": "There are outcomes of %(terms)d terms and teachers who had not taken part yet, or never "
        "did: each teacher is compared with her own earlier terms and with them.",
        "branch_no_panel": "Outcomes of at least %(limit)d terms are needed to compare teachers with their own earlier "
        "terms; there are %(terms)d.",
        "branch_nobody_before": "Nobody can be compared with her own earlier terms and with others who had not taken "
        "part then.",
        "branch_balanced": "A score from before the activity is linked to each result: teachers who took part are "
        "compared with others whose students scored alike before.",
        "branch_no_prior": "No score from before the activity is linked.",
        "branch_no_others": "No teachers without the activity can be compared.",
        "branch_dose": "Everyone took part, but not equally much: terms with more are compared with terms with less of "
        "the same teacher. That is an association, not an effect.",
        "branch_no_dose": "How much each teacher took part is not known, or does not differ.",
        "branch_describe": "No comparison is possible; what was seen is described only.",
        "override_taken": "As asked, the estimate is made by %(name)s.",
        "override_refused": "The estimate was asked to be made by %(name)s, but the data cannot bear it.",
        "override_idle": "%(name)s was set, but has no bearing on this estimate.",
        "override_twfe": "Two-way fixed effects were asked for. Where effects differ between teachers or grow with "
        "time they can be far off; the decision would have been %(name)s.",
        # gates
        "composition_untested": "No score from before the activity shows whether other students came into the groups.",
        "composition_alike": "Scores from before the activity do not differ: %(size).2f SD (likely between %(low).2f and "
        "%(high).2f).",
        "composition_weak_test": "Scores from before the activity say little about whether other students came into the "
        "groups: the difference is likely between %(low).2f and %(high).2f SD.",
        "composition_shifted": "Scores from before the activity differ by %(size).2f SD already (likely between %(low).2f "
        "and %(high).2f): other students came into the groups.",
        "calibration_unknown": "Nobody has tried yet how often random fake activities are taken for real ones here.",
        "calibration_error": "The share of fake activities taken for real ones is itself known from %(draws)d tries only: it "
        "may be between %(low).0f and %(high).0f in 100.",
        "calibration_sampled": "Fake activities were tried on random samples of %(schools)d schools, since there are many; "
        "from %(draws)d tries their share may be between %(low).0f and %(high).0f in 100.",
        "calibrated": "Of %(draws)d random fake activities on the same data %(share).1f in 100 were taken for real ones, "
        "as it should be (5 in 100).",
        "rejects_too_often": "Of %(draws)d random fake activities on the same data %(share).1f in 100 were taken for real "
        "ones; that is too often (5 in 100).",
        "rejects_too_seldom": "Of %(draws)d random fake activities on the same data only %(share).1f in 100 were taken "
        "for real ones (5 in 100 are expected): intervals are wider than they need to be.",
        "one_question": "This is the only question asked of these data.",
        "many_questions_untested": "%(questions)d questions were asked of these data.",
        "many_questions_hold": "%(questions)d questions were asked of these data; allowing for that, the finding stands "
        "(p = %(p).3f).",
        "many_questions_fail": "%(questions)d questions were asked of these data; allowing for that, the finding may be "
        "chance (p = %(p).3f).",
        "sensitivity_unknown": "How much drift the finding would stand is not known.",
        "sensitivity": "The finding stands as long as drift after taking part is less than %(breakdown).1f times the "
        "largest seen before it.",
        # who was counted, and how
        "stopped": "%(teachers)d teachers stopped taking part later; they count as taking part from their first term on.",
        "undeclared": "%(name)s was not declared beforehand as a group for which the effect may differ; it is not "
        "computed.",
        "clustered_finer": "As asked, errors are clustered by %(name)s. What students of a school share is then not "
        "counted, so that intervals may be too narrow.",
        # other places
        "works_in_some_site": "It seems to work in some schools and not in others: true effects differ between schools by an SD of "
        "%(tau).2f; in a new school the effect is likely between %(low).2f and %(high).2f SD.",
        "works_in_some_cohort": "It seems to work in some cohorts and not in others: true effects differ between cohorts by an SD of "
        "%(tau).2f; in a new cohort the effect is likely between %(low).2f and %(high).2f SD.",
        "differs_by_site": "How large the effect is differs between schools by an SD of %(tau).2f; in a new school it is likely between "
        "%(low).2f and %(high).2f SD.",
        "differs_by_cohort": "How large the effect is differs between cohorts by an SD of %(tau).2f; in a new cohort it is likely between "
        "%(low).2f and %(high).2f SD.",
        "holds_by_site": "It holds from school to school: in a new school the effect is likely between %(low).2f and %(high).2f SD.",
        "holds_by_cohort": "It holds from cohort to cohort: in a new cohort the effect is likely between %(low).2f and %(high).2f SD.",
        "next_site": "In a new school the effect is likely between %(low).2f and %(high).2f SD.",
        "next_cohort": "In a new cohort the effect is likely between %(low).2f and %(high).2f SD.",
        "replicability_no_effects": "Whether it would do the same elsewhere is not yet known.",
        "replicability_too_few": "Whether it would do the same elsewhere is not yet known: that takes at least 3 schools "
        "or cohorts with an effect of their own; there are %(sites)d.",
        "scalability_one_wave": "Whether it holds as it spreads is not yet known: that takes at least 2 waves.",
        # who was drawn, who is alike
        "baseline_unknown": "Nothing known from before shows whether the groups were alike.",
        "baseline_ok": "Before the activity the groups were alike (largest difference %(g).2f SD).",
        "baseline_adjusted": "Before the activity the groups differed by up to %(g).2f SD, which the analysis adjusts for.",
        "baseline_fails": "Before the activity the groups differed by up to %(g).2f SD: more than an adjustment makes good.",
        "effect_of_being_drawn": "This is the effect of being drawn, whether or not a teacher then took part.",
        "effect_of_students_drawn": "This is the effect of being drawn, whether or not a student then took part.",
        "students_higher": "Students who were drawn scored %(size).2f SD higher than those who were not (likely between "
        "%(low).2f and %(high).2f): a student in the middle would move from the 50th to the %(ordinal)s percentile.",
        "students_lower": "Students who were drawn scored %(size).2f SD lower than those who were not (likely between "
        "%(low).2f and %(high).2f lower): a student in the middle would move from the 50th to the %(ordinal)s percentile.",
        "students_no_interval": "Students who were drawn scored %(size).2f SD %(direction)s than those who were not; so few "
        "do not let us say how sure that is.",
        "students_cannot_tell": "We cannot tell yet: the effect is likely between %(low).2f and %(high).2f SD. That is not "
        "“does not work”: with this many students an effect would have to be about %(detectable).2f SD to be seen reliably.",
        "students_not_enough_yet": "Not enough yet: about %(more)d more students drawn, with as many more to compare in "
        "proportion, would show an effect of %(smallest).2f SD.",
        "drawn_one_arm": "Of those drawn or of those not drawn nobody has results that count.",
        "drawn_no_results": "Nobody in the lottery has results that count.",
        "drawn_no_spread": "All results that count are the same, so an effect has no scale.",
        "drawn_too_few_units": "Too few were drawn from to compare.",
        "drawn_adjustment_unsteady": "Too few were drawn from to adjust for what was known before.",
        "drawn_lost": "%(units)d of those in the lottery have no results that count, %(drawn)d of them were drawn.",
        "drawn_blocks_lost": "%(blocks)d blocks of the lottery have results on one side only; they say nothing.",
        "drawn_many": "%(units)d were drawn from: errors by unit of the draw.",
        "drawn_few": "%(units)d were drawn from: p-value and interval are from redrawing the lots.",
        "drawn_approximate": "Only %(units)d were drawn from: the interval is approximate.",
        "drawn_too_few": "%(units)d were drawn from, %(treated)d of them drawn: too few for a p-value or an interval.",
        "not_balanced": "The groups could not be made alike; outcomes are only adjusted for what was known before.",
        "balance_nobody_treated": "Nobody who took part has results with a prior score.",
        "balance_nobody_compared": "Nobody without the activity has results with a prior score.",
        "balance_no_common_term": "In no term are there results both with and without the activity.",
        "balance_outside": "Those who took part lie beyond all others in what was known before.",
        "balance_no_overlap": "No mixture of others is like those who took part in what was known before.",
        "balance_collinear": "What was known before explains entirely who took part.",
        # hours and money
        "efficiency_no_hours": "How many hours teachers gave is not known.",
        "efficiency_no_effect": "Without an effect of taking part there is none for an hour.",
        "efficiency_students": "Students were drawn and not teachers: their effect is none of a teacher's hours.",
        "efficiency_too_few": "The hours of too few teachers are known.",
        "cost_unknown": "What it costs is not known.",
        "cost_too_few": "Too few people stand behind the costs to show them per head.",
        # cutoffs
        "effect_at_cutoff": "This is the effect for teachers near the cutoff.",
        "cutoff_cutoff_outside": "The cutoff lies outside of what was seen.",
        "cutoff_too_few_rows": "Too few teachers stand near the cutoff.",
        "cutoff_too_few_values": "What decides who is offered it takes too few different values near the cutoff.",
        "cutoff_no_bandwidth": "Outcomes do not vary near the cutoff.",
        "cutoff_no_take_up": "Who takes part does not change at the cutoff.",
        "sorting_untested": "Whether teachers sorted themselves around the cutoff cannot be tested.",
        "sorting_unseen": "Nothing shows that teachers sorted themselves around the cutoff (p = %(p).2f).",
        "sorting_seen": "Teachers seem to have sorted themselves around the cutoff (p = %(p).3f).",
        # doses
        "association": "What teachers do more of in a term may go with other things of that term: this is an association "
        "for a difference of %(typical).1f.",
        "went_with_higher": "Terms with more of it went with scores %(size).2f SD higher (likely between %(low).2f and "
        "%(high).2f).",
        "went_with_lower": "Terms with more of it went with scores %(size).2f SD lower (likely between %(low).2f and "
        "%(high).2f lower).",
        "went_with_unclear": "Whether scores go with more of it cannot be told: the association is likely between "
        "%(low).2f and %(high).2f SD.",
        "dose_dose_does_not_vary": "How much each teacher took part does not differ apart from terms.",
        "dose_no_spread": "All results are the same, so an association has no scale.",
        "dose_too_few_clusters": "There are too few schools for an association.",
        # single cases
        "ratings_higher": "Ratings while taking part were %(size).2f SD higher than before (likely between %(low).2f and "
        "%(high).2f).",
        "ratings_lower": "Ratings while taking part were %(size).2f SD lower than before (likely between %(low).2f and "
        "%(high).2f lower).",
        "ratings_unclear": "Whether ratings changed cannot be told: the change is likely between %(low).2f and %(high).2f SD.",
        "cases_overlap": "For %(cases)d teachers a rating while taking part is better than one before in %(mean).0f of 100 "
        "pairs on average (from %(least).0f to %(most).0f).",
        "starts_untested": "There were too few ways to begin for a test by chance.",
        "starts_hold": "Had the starts been drawn among the %(ways)d possible ways, so large a change would be rare "
        "(p = %(p).3f).",
        "starts_fail": "Had the starts been drawn among the %(ways)d possible ways, so large a change would not be rare "
        "(p = %(p).2f).",
        # who was lost
        "attrition_unknown": "How many were lost on the way is not known.",
        "attrition_even": "%(overall).0f of 100 were lost on the way, %(uneven).0f of 100 more on one side than on the "
        "other. (The boundary of the What Works Clearinghouse is not encoded here.)",
        "attrition_uneven": "%(overall).0f of 100 were lost on the way, and %(uneven).0f of 100 more on one side than on "
        "the other: that may make an effect by itself. (The boundary of the What Works Clearinghouse is not encoded "
        "here.)",
        "fragile": "But drift after taking part as large as %(share).1f times the largest seen before it would be enough to "
        "explain the finding.",
        # briefly
        "brief": "This is a brief answer: drift, sensitivity and single schools were not looked at.",
    }
)
