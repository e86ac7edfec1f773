"""Pages of lotteries: the list, setting one up with the power shown, running it, and each teacher's own place."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST, require_safe

from staffroom.knowing.impact import actions, balancing, queries, rules
from staffroom.knowing.impact.forms.lotteries import (
    AnnounceForm,
    ApplicantsForm,
    ApplicationsForm,
    DrawForm,
    LotteryForm,
    OfferForm,
    StudyOfLotteryForm,
)
from staffroom.knowing.impact.models import Lottery, Study, Wave
from staffroom.knowing.impact.outlook import Outlook, Plan, outlook, variation_in
from staffroom.knowing.impact.views.doors import is_done, person_of
from staffroom.people.models import Organization, Person
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid

PAGE = "impact/lotteries/lottery.html"
PLACE = "impact/lotteries/place.html"
FORM = "impact/lotteries/form.html"
PER_PAGE = 25
FEW = 12
"""So many names stand on the page at once; more are read when they are asked for."""


def lottery_of(request: HttpRequest, slug: str) -> Lottery:
    """A lottery that the viewer runs or asked for a seat in."""
    found = queries.lottery_named(person_of(request), slug)
    if found is None:
        raise Http404
    return found


def mine(request: HttpRequest, slug: str) -> Lottery:
    """A lottery that the viewer runs."""
    found = lottery_of(request, slug)
    if not rules.may_run_lottery(request.user, found):
        raise Http404
    return found


def _runner(request: HttpRequest) -> None:
    if not rules.runs_lotteries(request.user):
        raise Http404


def state_of(lottery: Lottery) -> str:
    if lottery.is_calling:
        return _("teachers may ask")
    return {"open": _("being set up"), "announced": _("announced"), "drawn": _("drawn")}[lottery.state]


@login_required
@require_safe
def lotteries(request: HttpRequest) -> HttpResponseBase:
    """Lotteries that the viewer runs or asked for a seat in, newest first."""
    found = list(queries.lotteries_for(person_of(request)))
    if wants_csv(request):
        header = [_("Lottery"), _("Activity"), _("For"), _("State")]
        return csv_response(
            "lotteries", header, ((each.name, each.activity, each.organization, state_of(each)) for each in found)
        )
    lines = [{"lottery": each, "state": state_of(each), "tone": "good" if each.drawn_at else ""} for each in found]
    return render_page(
        request, "impact/lotteries/lotteries.html", {"lines": lines, "may_start": rules.runs_lotteries(request.user)}
    )


@login_required
def new_lottery(request: HttpRequest) -> HttpResponse:
    """Set up a lottery."""
    _runner(request)
    viewer = person_of(request)
    form = LotteryForm(request.POST or None, viewer=viewer)
    if request.method != "POST":
        return render_page(request, FORM, {"form": form})
    if "look" in request.POST:
        return render_page(
            request,
            FORM,
            {"form": LotteryForm(viewer=viewer, initial=request.POST.dict()), "outlook": _outlook_typed(request)},
        )
    made: list[Lottery] = []
    if is_done(form, lambda said: made.append(_started(viewer, form))):
        messages.success(request, _("Set up. Now say who asks for a seat."))
        return redirect(made[0])
    return respond_invalid(request, FORM, "", form, {"outlook": _outlook_typed(request)})


def _started(viewer: Person, form: LotteryForm) -> Lottery:
    place, activity = form.cleaned_data["organization"], form.cleaned_data["activity"]
    return actions.start_lottery(by=viewer, organization=place, activity=activity, waves=form.rounds, **form.settings)


@login_required
def change_lottery(request: HttpRequest, slug: str) -> HttpResponse:
    """Change what was set up, before it is announced."""
    found = mine(request, slug)
    if found.announced_at:
        raise Http404
    viewer = person_of(request)
    form = LotteryForm(request.POST or None, viewer=viewer, lottery=found)
    if request.method != "POST":
        return render_page(request, FORM, {"form": form, "lottery": found})
    if is_done(form, lambda said: actions.change_lottery(by=viewer, lottery=found, waves=form.rounds, **form.settings)):
        messages.success(request, _("Saved."))
        return redirect(found)
    return respond_invalid(request, FORM, "", form, {"lottery": found})


# --- What could be seen ------------------------------------------------------------------------------------------------------------


@login_required
@require_GET
def power(request: HttpRequest) -> HttpResponse:
    """What could be seen with what has been typed so far, as a fragment."""
    _runner(request)
    return render_page(request, FORM, {"form": None, "outlook": _outlook_typed(request)}, fragment="power")


def _outlook_typed(request: HttpRequest) -> Outlook | None:
    """What a lottery among all who teach at the place that was chosen could show. None while too little is known."""
    typed = request.POST or request.GET
    place = queries.places_for_lotteries(request.user).filter(pk=_number(typed.get("organization", ""))).first()
    seats = _number(typed.get("seats_1", ""))
    if place is None or not seats:
        return None
    teachers = queries.teachers_at(place)
    schools = len({each.school.pk for each in teachers})
    plan = Plan(
        len(teachers), schools, min(seats, 10**6), by_school=typed.get("unit") == Lottery.Unit.SCHOOL,
        blocks=schools if typed.get("blocks") == Lottery.Blocks.SCHOOL else 1,
    )  # fmt: skip
    return _seen(plan, place, request)


def _outlook_of(request: HttpRequest, lottery: Lottery, known: queries.Counts, wave: Wave | None) -> Outlook | None:
    """What a lottery among those who ask could show."""
    if not known.teachers or wave is None:
        return None
    blocks = known.schools if lottery.blocks == Lottery.Blocks.SCHOOL else 1
    plan = Plan(
        known.teachers, known.schools, wave.seats, by_school=lottery.unit == Lottery.Unit.SCHOOL,
        blocks=known.blocks if lottery.announced_at else blocks,
    )  # fmt: skip
    return _seen(plan, lottery.organization, request)


def _seen(plan: Plan, place: Organization, request: HttpRequest) -> Outlook:
    scope = queries.district_around(place)
    return outlook(plan, variation_in(scope, queries.instruments_for(scope).first()))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


# --- One lottery -------------------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def lottery(request: HttpRequest, slug: str) -> HttpResponse:
    """One lottery: to those who run it with names, to each who asks her own place; to all how it is drawn."""
    found = lottery_of(request, slug)
    if not rules.may_run_lottery(request.user, found):
        return render_page(request, PLACE, _own(request, found))
    return render_page(request, PAGE, whole(request, found))


def _own(request: HttpRequest, found: Lottery) -> dict[str, Any]:
    """What a teacher sees: her own place, or that she may ask for one."""
    shown, applicant = _shown(found), queries.application_of(person_of(request), found)
    offers = list(applicant.offers.all()) if applicant else []
    return {
        **shown, "applicant": applicant, "offer": offers[-1] if offers else None,
        "place": queries.place_of(found, applicant, shown["waves"]) if applicant else None,
        "asking": None if found.drawn_at else queries.asking_in(found),
    }  # fmt: skip


def _shown(found: Lottery) -> dict[str, Any]:
    """What everybody who may see a lottery sees of it."""
    waves = list(found.waves.all())
    return {
        "lottery": found, "state": state_of(found), "waves": waves, "newer": found.replaced_by.first() if found.announced_at else None,
        "command": _command(found, waves) if found.drawn_at else "",
    }  # fmt: skip


def _command(found: Lottery, waves: list[Wave]) -> str:
    """What anybody types to draw it again, with the two files of the page in one folder."""
    said = ["python3", "redraw.py", f"draw-{found.slug}.csv", "--secret", found.secret, "--number", found.number]
    return shlex.join([*said, "--seats", *(str(wave.seats) for wave in waves)])


def whole(request: HttpRequest, found: Lottery, **forms: BaseForm) -> dict[str, Any]:
    """Everything of a lottery, for those who run it. `forms`: those that were sent and are not right."""
    shown = _shown(found)
    is_open, is_drawn = found.state == "open", found.state == "drawn"
    known = queries.counts_of(found)
    study = None if is_open else found.studies.filter(end="").first()
    context = {
        **shown, "applicants": list(queries.applicants_of(found)) if known.teachers <= FEW else [],
        "outlook": None if is_drawn else _outlook_of(request, found, known, next(iter(shown["waves"]), None)),
        "asking": known.teachers,
        "open_form": ApplicationsForm(initial={"until": found.apply_until}) if is_open else None,
        "people_form": ApplicantsForm(lottery=found) if is_open else None,
        "announce_form": AnnounceForm() if is_open and not found.is_calling else None,
        "draw_form": DrawForm() if found.state == "announced" else None,
        "seats": queries.seats_of(found) if is_drawn else [],
        "study": study, "study_form": None if is_open or study else StudyOfLotteryForm(viewer=person_of(request)),
    }  # fmt: skip
    return {**context, **forms}


@login_required
@require_safe
def list_people(request: HttpRequest, slug: str) -> HttpResponse:
    """Those who ask, page by page; the first of them a part of the lottery's page, read when it is asked for."""
    found = mine(request, slug)
    page = max(_number(request.GET.get("page", "")), 1)
    start = (page - 1) * PER_PAGE
    rows = list(queries.applicants_of(found)[start : start + PER_PAGE + 1])
    here = reverse("lotteries:list", args=[found.slug])
    context = {
        "lottery": found, "applicants": rows[:PER_PAGE],
        "newer_url": f"{here}?page={page - 1}" if page > 1 else "",
        "older_url": f"{here}?page={page + 1}" if len(rows) > PER_PAGE else "",
    }  # fmt: skip
    return render_page(request, "impact/lotteries/list.html", context, fragment="list")


@login_required
@require_safe
def balance(request: HttpRequest, slug: str) -> HttpResponse:
    """Whether those drawn first are like the others: a fragment of the lottery's page, read when it is asked for."""
    found = mine(request, slug)
    if not found.drawn_at:
        raise Http404
    context = {"lottery": found, "balance": balancing.balance_of(found)}
    return render_page(request, "impact/lotteries/balance.html", context, fragment="balance")


@login_required
@require_POST
def add_people(request: HttpRequest, slug: str) -> HttpResponse:
    """Enter teachers for a seat."""
    found, viewer = mine(request, slug), person_of(request)
    form = ApplicantsForm(request.POST, request.FILES, lottery=found)
    new: list[int] = []

    def add(said: Mapping[str, Any]) -> None:
        new.append(actions.add_applicants(by=viewer, lottery=found, teachers=said["teachers"], blocks=said["blocks"]))

    if is_done(form, add):
        many = ngettext("%(many)d teacher was added.", "%(many)d teachers were added.", new[0]) % {"many": new[0]}
        messages.success(request, many)
        return redirect(found)
    return respond_invalid(request, PAGE, "", form, whole(request, found, people_form=form))


@login_required
@require_POST
def remove_person(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take somebody off the list."""
    found = mine(request, slug)
    applicant = found.applicants.filter(pk=pk).first() if pk < 2**63 else None
    if applicant is None:
        raise Http404
    try:
        actions.remove_applicant(by=person_of(request), lottery=found, applicant=applicant)
        messages.success(request, _("Taken off the list."))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    return redirect(found)


@login_required
@require_POST
def announce(request: HttpRequest, slug: str) -> HttpResponse:
    """Freeze the list and publish what the draw will be checked by."""
    found, viewer, form = mine(request, slug), person_of(request), AnnounceForm(request.POST)
    if is_done(form, lambda said: actions.announce(by=viewer, lottery=found, **said)):
        messages.success(request, _("Announced. Everybody on the list has been told."))
        return redirect(found)
    return respond_invalid(request, PAGE, "", form, whole(request, found, announce_form=form))


@login_required
@require_POST
def draw(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw, once and for all."""
    found, viewer, form = mine(request, slug), person_of(request), DrawForm(request.POST)
    if is_done(form, lambda said: actions.draw(by=viewer, lottery=found, **said)):
        messages.success(request, _("Drawn. Everybody on the list has been told."))
        return redirect(found)
    return respond_invalid(request, PAGE, "", form, whole(request, found, draw_form=form))


@login_required
@require_POST
def draw_anew(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin a new lottery that replaces this one, for all to see."""
    found = mine(request, slug)
    made = actions.draw_anew(by=person_of(request), lottery=found)
    messages.success(request, _("A new lottery, which says that it replaces the other one."))
    return redirect(made)


@login_required
@require_POST
def answer(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a seat that is offered, or leave it."""
    found = lottery_of(request, slug)
    offer = queries.offer_with(request.user, found, pk) if pk < 2**63 else None
    if offer is None:
        raise Http404
    form, viewer = OfferForm(request.POST), person_of(request)
    if is_done(form, lambda said: actions.answer_offer(by=viewer, offer=offer, **said)):
        messages.success(request, _("Thank you: it is noted."))
        return redirect(found)
    if rules.may_run_lottery(request.user, found):
        return respond_invalid(request, PAGE, "", form, whole(request, found))
    return respond_invalid(request, PLACE, "", form, _own(request, found))


@login_required
@require_POST
def make_study(request: HttpRequest, slug: str) -> HttpResponse:
    """Draft the study that a lottery makes possible."""
    found = mine(request, slug)
    viewer, made = person_of(request), list[Study]()
    form = StudyOfLotteryForm(request.POST, viewer=viewer)
    if is_done(form, lambda said: made.append(actions.start_study_of_lottery(by=viewer, lottery=found, **said))):
        messages.success(request, _("Drafted. Read it, and register it before the results are there."))
        return redirect(made[0])
    return respond_invalid(request, PAGE, "", form, whole(request, found, study_form=form))


@login_required
@require_safe
def check(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What the draw can be checked by: tickets, blocks, and what fell to them. No names."""
    found = lottery_of(request, slug)
    rows = (
        (
            lot.ticket,
            lot.code,
            lot.allotment.position if found.drawn_at else "",
            lot.allotment.wave if found.drawn_at else "",
        )
        for lot in queries.lots_of(found)
    )
    return csv_response(f"draw-{found.slug}", ["ticket", "block", "order", "wave"], rows)


@login_required
@require_safe
def people(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Who asked and what fell to them, for those who run it."""
    header = [_("Name"), _("School"), _("Group"), _("Ticket"), _("Wave"), _("Answer")]
    return csv_response(f"people-{slug}", header, _people(mine(request, slug)))


def _people(found: Lottery) -> Iterator[tuple[object, ...]]:
    for each in queries.applicants_of(found):
        offers = list(each.offers.all())
        wave = each.lot.allotment.wave if found.drawn_at and each.lot else ""
        answer = offers[-1].get_answer_display() if offers else ""
        yield str(each), each.school or "", each.block, each.lot.ticket if each.lot else "", wave, answer
