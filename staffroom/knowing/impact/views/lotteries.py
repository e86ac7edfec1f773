"""Pages of lotteries: the list, setting one up with the power shown, running it, and each teacher's own place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST, require_safe

from staffroom.knowing.impact import actions, balancing, queries, rules
from staffroom.knowing.impact.forms.lotteries import (
    AnnounceForm,
    ApplicantsForm,
    DrawForm,
    LotteryForm,
    OfferForm,
    StudyOfLotteryForm,
)
from staffroom.knowing.impact.models import Lottery
from staffroom.knowing.impact.outlook import Outlook, Plan, outlook, variation_in
from staffroom.knowing.impact.views.doors import person_of
from staffroom.people.models import Organization
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid

PAGE = "impact/lotteries/lottery.html"
FORM = "impact/lotteries/form.html"


def _lottery(request: HttpRequest, slug: str) -> Lottery:
    """A lottery that the viewer runs or asked for a seat in."""
    found = queries.lottery_named(person_of(request), slug)
    if found is None:
        raise Http404
    return found


def _mine(request: HttpRequest, slug: str) -> Lottery:
    """A lottery that the viewer runs."""
    found = _lottery(request, slug)
    if not rules.may_run_lottery(request.user, found):
        raise Http404
    return found


def _runner(request: HttpRequest) -> None:
    if not rules.runs_lotteries(request.user):
        raise Http404


def put_into(form: BaseForm, problem: ValidationError) -> None:
    """Show what a deed refused beside the fields that it names, or above the form."""
    if hasattr(problem, "error_dict"):
        for name, errors in problem.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error(None, problem)


def state_of(lottery: Lottery) -> str:
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
    if form.is_valid():
        try:
            place, activity = form.cleaned_data["organization"], form.cleaned_data["activity"]
            made = actions.start_lottery(
                by=viewer, organization=place, activity=activity, waves=form.rounds, **form.settings
            )
            messages.success(request, _("Set up. Now say who asks for a seat."))
            return redirect(made)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, FORM, "", form, {"outlook": _outlook_typed(request)})


@login_required
def change_lottery(request: HttpRequest, slug: str) -> HttpResponse:
    """Change what was set up, before it is announced."""
    found = _mine(request, slug)
    if found.announced_at:
        raise Http404
    form = LotteryForm(request.POST or None, viewer=person_of(request), lottery=found)
    if request.method != "POST":
        return render_page(request, FORM, {"form": form, "lottery": found})
    if form.is_valid():
        try:
            actions.change_lottery(by=person_of(request), lottery=found, waves=form.rounds, **form.settings)
            messages.success(request, _("Saved."))
            return redirect(found)
        except ValidationError as problem:
            put_into(form, problem)
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


def _outlook_of(request: HttpRequest, lottery: Lottery) -> Outlook | None:
    """What a lottery among those who ask could show."""
    people = [each for each in lottery.applicants.all() if each.person_id]
    wave = lottery.waves.first()
    if not people or wave is None:
        return None
    by_school = lottery.unit == Lottery.Unit.SCHOOL
    schools = len({each.school_id for each in people})
    if lottery.announced_at:
        blocks = lottery.lots.order_by().values("code").distinct().count()
    else:
        blocks = schools if lottery.blocks == Lottery.Blocks.SCHOOL else 1
    return _seen(
        Plan(len(people), schools, wave.seats, by_school=by_school, blocks=blocks), lottery.organization, request
    )


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
    found = _lottery(request, slug)
    if not rules.may_run_lottery(request.user, found):
        return render_page(request, "impact/lotteries/place.html", _own(request, found))
    return render_page(request, PAGE, _whole(request, found))


def _own(request: HttpRequest, found: Lottery) -> dict[str, Any]:
    applicant = queries.application_of(person_of(request), found)
    if applicant is None:
        raise Http404
    return {
        **_shown(found),
        "applicant": applicant,
        "offer": applicant.offers.last(),
        "before": _before(found, applicant),
    }


def _before(found: Lottery, applicant: Any) -> int | None:
    """How many wait before somebody who was drawn for no seat or a later one."""
    if not found.drawn_at or applicant.lot is None or applicant.lot.allotment.wave == 1:
        return None
    standings = queries.standings_of(found)
    waiting = [each for each in standings if each.wave != 1 and each.people and not each.held]
    return next((place for place, each in enumerate(waiting) if each.lot.pk == applicant.lot_id), None)


def _shown(found: Lottery) -> dict[str, Any]:
    """What everybody who may see a lottery sees of it."""
    return {
        "lottery": found, "state": state_of(found), "waves": list(found.waves.all()),
        "newer": found.replaced_by.first(), "asking": found.asking,  # type: ignore[attr-defined]  # annotated by the query
    }  # fmt: skip


def _whole(request: HttpRequest, found: Lottery, **forms: BaseForm) -> dict[str, Any]:
    """Everything of a lottery, for those who run it. `forms`: those that were sent and are not right."""
    is_open, is_drawn = found.state == "open", found.state == "drawn"
    context = {
        **_shown(found), "applicants": queries.applicants_of(found),
        "outlook": _outlook_of(request, found) if not is_drawn else None,
        "people_form": ApplicantsForm(lottery=found) if is_open else None,
        "announce_form": AnnounceForm() if is_open else None,
        "draw_form": DrawForm() if found.state == "announced" else None,
        "seats": queries.seats_of(found) if is_drawn else [],
        "balance": balancing.balance_of(found) if is_drawn else None,
        "study": found.studies.filter(end="").first(), "is_run": True,
        "study_form": None if is_open else StudyOfLotteryForm(viewer=person_of(request)),
    }  # fmt: skip
    return {**context, **forms}


@login_required
@require_POST
def add_people(request: HttpRequest, slug: str) -> HttpResponse:
    """Enter teachers for a seat."""
    found = _mine(request, slug)
    form = ApplicantsForm(request.POST, request.FILES, lottery=found)
    if form.is_valid():
        try:
            said = form.cleaned_data
            many = actions.add_applicants(
                by=person_of(request), lottery=found, teachers=said["teachers"], blocks=said["blocks"]
            )
            messages.success(
                request, ngettext("%(many)d teacher was added.", "%(many)d teachers were added.", many) % {"many": many}
            )
            return redirect(found)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, PAGE, "", form, _whole(request, found, people_form=form))


@login_required
@require_POST
def remove_person(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take somebody off the list."""
    found = _mine(request, slug)
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
    found = _mine(request, slug)
    form = AnnounceForm(request.POST)
    if form.is_valid():
        try:
            actions.announce(by=person_of(request), lottery=found, number_source=form.cleaned_data["number_source"])
            messages.success(request, _("Announced. Everybody on the list has been told."))
            return redirect(found)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, PAGE, "", form, _whole(request, found, announce_form=form))


@login_required
@require_POST
def draw(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw, once and for all."""
    found = _mine(request, slug)
    form = DrawForm(request.POST)
    if form.is_valid():
        try:
            actions.draw(by=person_of(request), lottery=found, number=form.cleaned_data["number"])
            messages.success(request, _("Drawn. Everybody on the list has been told."))
            return redirect(found)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, PAGE, "", form, _whole(request, found, draw_form=form))


@login_required
@require_POST
def draw_anew(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin a new lottery that replaces this one, for all to see."""
    found = _mine(request, slug)
    made = actions.draw_anew(by=person_of(request), lottery=found)
    messages.success(request, _("A new lottery, which says that it replaces the other one."))
    return redirect(made)


@login_required
@require_POST
def answer(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a seat that is offered, or leave it."""
    found = _lottery(request, slug)
    offer = queries.offer_with(request.user, found, pk) if pk < 2**63 else None
    if offer is None:
        raise Http404
    form = OfferForm(request.POST)
    if form.is_valid():
        try:
            actions.answer_offer(by=person_of(request), offer=offer, answer=form.cleaned_data["answer"])
            messages.success(request, _("Thank you: it is noted."))
            return redirect(found)
        except ValidationError as problem:
            put_into(form, problem)
    if rules.may_run_lottery(request.user, found):
        return respond_invalid(request, PAGE, "", form, _whole(request, found))
    return respond_invalid(request, "impact/lotteries/place.html", "", form, _own(request, found))


@login_required
@require_POST
def make_study(request: HttpRequest, slug: str) -> HttpResponse:
    """Draft the study that a lottery makes possible."""
    found = _mine(request, slug)
    form = StudyOfLotteryForm(request.POST, viewer=person_of(request))
    if form.is_valid():
        try:
            made = actions.start_study_of_lottery(
                by=person_of(request), lottery=found, instrument=form.cleaned_data["instrument"]
            )
            messages.success(request, _("Drafted. Read it, and register it before the results are there."))
            return redirect(made)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, PAGE, "", form, _whole(request, found, study_form=form))


@login_required
@require_safe
def check(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What the draw can be checked by: tickets, blocks, and what fell to them. No names."""
    found = _lottery(request, slug)
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
    return csv_response(f"people-{slug}", header, _people(_mine(request, slug)))


def _people(found: Lottery) -> Iterator[tuple[object, ...]]:
    for each in queries.applicants_of(found):
        offers = list(each.offers.all())
        wave = each.lot.allotment.wave if found.drawn_at and each.lot else ""
        answer = offers[-1].get_answer_display() if offers else ""
        yield str(each), each.school or "", each.block, each.lot.ticket if each.lot else "", wave, answer
