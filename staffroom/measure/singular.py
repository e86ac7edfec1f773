"""Sentences about one thing: which number they count, and how they say it when that is 1."""

from collections.abc import Mapping
from types import MappingProxyType

ONE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "not_enough_yet": (
            "more",
            (
                "Not enough yet: about %(more)d more teacher taking part, with as many more to compare in proportion, would "
                "show an effect of %(smallest).2f SD."
            ),
        ),
        "too_few_terms": (
            "terms",
            "There are outcomes of %(terms)d term; a comparison over time needs at least %(limit)d.",
        ),
        "too_few_treated": (
            "teachers",
            (
                "%(teachers)d teacher who took part can be compared with her own earlier terms; fewer than %(limit)d are too "
                "few to say."
            ),
        ),
        "too_few_compared": (
            "teachers",
            "%(teachers)d teacher can serve as comparison; fewer than %(limit)d are too few to say.",
        ),
        "too_few_results": (
            "results",
            "%(results)d result stands behind this; fewer than %(limit)d are too few to show.",
        ),
        "always_treated": (
            "teachers",
            (
                "%(teachers)d teacher took part from her first term on and is left out: nothing shows what her students scored "
                "before."
            ),
        ),
        "unmatched": ("cells", "%(cells)d teacher term is left out: nobody comparable was without the activity then."),
        "moved": (
            "teachers",
            "%(teachers)d teacher taught in more than one school; she counts to the one with most of her results.",
        ),
        "few_treated_schools": (
            "schools",
            "Only %(schools)d school has teachers who took part; intervals may be too narrow.",
        ),
        "hidden": ("rows", "%(rows)d line is hidden because too few students or teachers stand behind it."),
        "clusters_treated": (
            "treated",
            "Only %(treated)d of %(clusters)d schools has teachers who took part: the interval is approximate.",
        ),
        "clusters_few": (
            "clusters",
            "%(clusters)d school, %(treated)d with teachers who took part: too few for a p-value or an interval.",
        ),
        "sample_enough": ("schools", "%(students)d students in %(schools)d school."),
        "sample_small": (
            "schools",
            (
                "%(students)d students in %(schools)d school; the evidence standards ask for at least %(limit)d students and 2 "
                "sites."
            ),
        ),
        "branch_few": ("teachers", "%(teachers)d teacher took part, fewer than %(limit)d."),
        "branch_no_panel": (
            "terms",
            (
                "Outcomes of at least %(limit)d terms are needed to compare teachers with their own earlier terms; there is "
                "%(terms)d."
            ),
        ),
        "branch_cutoff_thin": (
            "teachers",
            "A cutoff is recorded, but only %(teachers)d teacher stands on one side of it.",
        ),
        "stopped": (
            "teachers",
            "%(teachers)d teacher stopped taking part later; she counts as taking part from her first term on.",
        ),
        "replicability_too_few": (
            "sites",
            (
                "Whether it would do the same elsewhere is not yet known: that takes at least 3 schools or cohorts with an "
                "effect of their own; there is %(sites)d."
            ),
        ),
        "drawn_lost": (
            "units",
            "%(units)d of those in the lottery has no results that count, %(drawn)d of them drawn.",
        ),
        "drawn_blocks_lost": (
            "blocks",
            "%(blocks)d block of the lottery has results on one side only; it says nothing.",
        ),
    }
)
