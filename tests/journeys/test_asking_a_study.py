"""A leader asks before the answer is there, results arrive, the job answers, and she takes the answer along."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import expect

from tests.hosting.conftest import Place
from tests.journeys.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]
QUESTION = "Does coaching go on working this year?"
TERM = "from staffroom.people.models import Term; term = Term.objects.order_by('begins_on').last();"
RESULTS_ARRIVE = f"""
{TERM}
from staffroom.knowing.impact.tasks import answer_registered
from staffroom.people.models import Enrollment
from staffroom.records.actions import Result, record_outcomes
from staffroom.records.models import Instrument
here = Enrollment.objects.filter(section__terms=term)
teacher = dict(here.filter(role="teacher").values_list("section", "person"))
students = here.filter(role="student").values_list("section", "person")
results = [
    Result(subject="student", term_id=term.pk, value=200.0 + number * 7919 % 41, person_id=pk, teacher_id=teacher[section])
    for number, (section, pk) in enumerate(students)
]
record_outcomes(by=None, instrument=Instrument.objects.get(kind="test"), results=results, are_new=True)
answer_registered.func()
print(len(results))
"""


def ask_and_register(denise: Visitor, begins: str, ends: str) -> str:
    """A study of the first activity, registered; returns its address."""
    page = denise.page
    denise.go("/studies/new/")
    page.fill("[name=name]", QUESTION)
    page.fill("[name=decision]", "Whether a second coach is hired.")
    page.get_by_label("Number talks coaching").check()
    page.locator("select[name=instrument]").select_option(label="Riverbend Mathematics Check")
    page.fill("[name=outcomes_from]", begins)
    page.fill("[name=outcomes_until]", ends)
    page.get_by_role("button", name="Save the draft").click()
    page.wait_for_url(re.compile(r"/studies/(?!new)[-\w]+/$"))
    expect(page.get_by_text("In time: no result of its time is in the ledger.")).to_be_visible()
    page.get_by_role("button", name="Register", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("before the results", exact=True)).to_be_visible()
    denise.see_no_barrier()
    return page.url


def test_a_leader_asks_before_results_are_there_and_takes_the_answer_along(
    site: Place, visit: Callable[..., Visitor]
) -> None:
    denise = visit("denise")
    begins, ends = site.python(f"{TERM} print(term.begins_on, term.ends_on)").split()[-2:]
    address = ask_and_register(denise, begins, ends)
    assert int(site.python(RESULTS_ARRIVE).split()[-1]) > 0
    page = denise.page
    denise.go(address)
    page.get_by_role("link", name="The answer").click()
    page.wait_for_url(re.compile(r"/result/"))
    expect(page.get_by_text("registered before the results").first).to_be_visible()
    expect(page.get_by_text(re.compile("teachers|too few|cannot")).first).to_be_visible()
    table = page.locator("figure summary").first
    table.focus()
    page.keyboard.press("Enter")
    expect(page.locator("figure table").first).to_be_visible()
    denise.see_no_barrier()
    with page.expect_download() as taken:
        page.get_by_role("link", name="The study as files").click()
    names = ZipFile(BytesIO(Path(taken.value.path()).read_bytes())).namelist()
    assert any(name.endswith(".toml") for name in names)
    # The report is a paper of its own, without the transitions of pages: it is opened as from a bookmark.
    report = page.get_by_role("link", name="Printable report").get_attribute("href") or ""
    assert denise.go(report if report.startswith("http") else site.url + report) == 200
    expect(page.get_by_text(QUESTION).first).to_be_visible()
