"""What this room keeps about people: nothing. Sums alone, of at least five."""

from staffroom.knowing.impact.models import Estimate, Tally
from staffroom.people.personal import impersonal


def declare_all() -> None:
    impersonal(Estimate, "An effect over many teachers and students; small groups are left out before it is kept.")
    impersonal(Tally, "Sums over at least five people; smaller ones are left out before they are kept.")
