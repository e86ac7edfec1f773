"""My growth: a teacher's own page; the page of a coach whom she asked; what an activity is there for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.knowing.impact import drawing, rules, wording
from staffroom.knowing.impact.actions import growth as deeds
from staffroom.knowing.impact.forms.growth import AimsForm, CoachForm, GoalForm, StandingForm
from staffroom.knowing.impact.models import Goal
from staffroom.knowing.impact.queries import callings_of
from staffroom.knowing.impact.queries import growth as queries
from staffroom.knowing.impact.queries.likeness import EXPERIENCE, GRADES, said_grades, said_years
from staffroom.knowing.impact.views.doors import person_of
from staffroom.people.models import Person
from staffroom.records.queries import activities_entered_by
from staffroom.records.rules import may_enter_activity
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid


def _teacher(request: HttpRequest) -> Person:
    if not rules.has_growth(request.user):
        raise Http404
    return person_of(request)


@login_required
@require_safe
def growth(request: HttpRequest) -> HttpResponseBase:
    """Where one stands and what might help; seen by oneself alone."""
    viewer = _teacher(request)
    places = queries.standings_of(viewer)
    if wants_csv(request):
        header = [_("Day"), _("Practice"), _("Level"), _("By")]
        rows = (
            [each.noted_at.date(), each.element, each.get_level_display(), each.by or ""]
            for place in places for each in (*place.own, *place.coach)
        )  # fmt: skip
        return csv_response("my-growth", header, rows)
    return render_page(request, "impact/growth/growth.html", _shown(viewer, places))


def _shown(viewer: Person, places: list[queries.Where]) -> dict[str, Any]:
    weakest = queries.weakest_goal(places)
    like = queries.likeness_of(viewer) if weakest else None
    options = queries.options_for(viewer, weakest.element, like) if weakest and like else []
    calling = callings_of(viewer, [each.activity for each in options])
    return {
        "places": [{"at": each, **_words(each)} for each in places], "weakest": weakest,
        "options": [
            {"option": each, "seats": calling.get(each.activity.pk), **_option_words(each)} for each in options
        ],
        "like": _like_words(like) if like else None, "form": GoalForm(viewer=viewer),
    }  # fmt: skip


def _like_words(like: queries.Likeness) -> dict[str, list[str]]:
    """What "teachers like you" means for one teacher, and what of it the roster does not tell."""
    said = [like.school.name if like.school else "", said_grades(like.grades), said_years(like.years)]
    missing = [_("your school"), _("the grades that you teach"), _("since when you teach here")]
    return {
        "known": [each for each in said if each],
        "unknown": [name for name, each in zip(missing, said, strict=True) if not each],
    }


def _words(place: queries.Where) -> dict[str, Any]:
    said = sorted((*place.own, *place.coach), key=lambda each: each.noted_at)
    days = {each.noted_at.date() for each in said}
    return {
        "own": place.latest.get_level_display() if place.latest else "",
        "coach": place.latest_of_coach.get_level_display() if place.latest_of_coach else "",
        "drawing": drawing.steps([(each.noted_at, each.level, each.is_own) for each in said])
        if len(days) > 1
        else None,
        "said": said,
    }


def _option_words(option: queries.Option) -> dict[str, Any]:
    """What a teacher may expect, with its interval and whom it is known from; never a number alone."""
    effect = option.effect
    known = {
        "school": _("from %(count)s teachers of your school, drawn towards what was seen in the others"),
        GRADES: _("from %(count)s teachers of the grades that you teach, drawn towards what was seen in all"),
        EXPERIENCE: _("from %(count)s teachers who had been here as long as you, drawn towards what was seen in all"),
        "new_school": _("what a further school may expect, from %(count)s teachers of other schools"),
        "all": _("from %(count)s teachers of the district; not enough schools to say it of yours"),
    }
    return {
        "value": wording.signed(effect["sd"]) if effect else "",
        "interval": wording.interval(effect["low"], effect["high"]) if effect else "",
        "basis": known[option.basis] % {"count": wording.count(option.teachers)} if effect else "",
        "sentence": wording.sentences(option.sentence, is_higher_better=option.is_higher_better)
        if option.sentence
        else "",
        "tier": wording.tier(option.tier) if option.tier else _("Not yet known"),
        "tone": wording.tier_tone(option.tier) if option.tier else "",
        "hours": wording.hours(option.hours) if option.hours else "",
        "sure": _how_sure(effect),
        "alike": [_alike_line(each) for each in option.alike if each.family != option.basis],
    }


def _how_sure(effect: dict[str, Any] | None) -> str:
    """The interval in words."""
    if not effect:
        return ""
    if effect["low"] > 0:
        return _("It most likely brings something to teachers like you.")
    if effect["high"] < 0:
        return _("It most likely takes something from the students of teachers like you.")
    return _("It may also bring nothing to teachers like you: what is known does not tell.")


def _alike_line(alike: queries.Alike) -> str:
    known = {
        GRADES: _("Teachers of %(band)s: %(value)s SD %(interval)s, from %(count)s"),
        EXPERIENCE: _("Teachers %(band)s: %(value)s SD %(interval)s, from %(count)s"),
    }
    effect = alike.effect
    return known[alike.family] % {
        "band": (said_grades if alike.family == GRADES else said_years)(alike.band),
        "value": wording.signed(effect["sd"]), "interval": wording.interval(effect["low"], effect["high"]),
        "count": wording.count(alike.teachers),
    }  # fmt: skip


@login_required
@require_safe
def students(request: HttpRequest) -> HttpResponse:
    """How one's students stood beside those of the district, term by term: a fragment, read when it is asked for."""
    viewer = _teacher(request)
    found = [
        {"instrument": instrument, "rows": [_class_row(each) for each in means],
         "drawing": drawing.event_study([{"key": place, "sd": each.sd, "low": each.low, "high": each.high}
                                         for place, each in enumerate(means)])}
        for instrument, means in queries.class_means_of(viewer)
    ]  # fmt: skip
    columns = [_("Term"), _("SD beside the district"), _("95 % interval"), _("Results")]
    context = {"instruments": found, "columns": columns}
    return render_page(request, "impact/growth/students.html", context, fragment="students")


def _class_row(mean: queries.ClassMean) -> list[str]:
    return [mean.term.name, wording.signed(mean.sd), wording.interval(mean.low, mean.high), wording.count(mean.results)]


@login_required
@require_POST
def new_goal(request: HttpRequest) -> HttpResponse:
    """Set out for a practice."""
    viewer = _teacher(request)
    form = GoalForm(request.POST, viewer=viewer)
    if form.is_valid():
        try:
            goal = deeds.declare_goal(by=viewer, element=form.cleaned_data["element"], why=form.cleaned_data["why"])
            return redirect("growth:goal", goal.key)
        except ValidationError as problem:
            form.add_error(None, problem)
    return respond_invalid(
        request, "impact/growth/growth.html", "", form, _shown(viewer, queries.standings_of(viewer)) | {"form": form}
    )


def _own_goal(request: HttpRequest, key: UUID) -> Goal:
    return get_object_or_404(queries.goals_of(_teacher(request)), key=key)


@login_required
@require_safe
def goal(request: HttpRequest, key: UUID) -> HttpResponse:
    """One goal: say where one stands, let a coach see it, or leave it."""
    found = _own_goal(request, key)
    return render_page(request, "impact/growth/goal.html", _goal_shown(found))


def _goal_shown(found: Goal) -> dict[str, Any]:
    return {
        "goal": found, "form": StandingForm(),
        "coach_form": CoachForm(teacher=found.person, initial={"coach": found.coach.key if found.coach else None}),
    }  # fmt: skip


@login_required
@require_POST
def note_standing(request: HttpRequest, key: UUID) -> HttpResponse:
    """Say where one stands in one's own goal, or as the coach who sees it."""
    viewer = person_of(request)
    shown = queries.goals_of(viewer) | queries.goals_shown_to(viewer)
    found = get_object_or_404(shown, key=key)
    form = StandingForm(request.POST)
    is_own = found.person_id == viewer.pk
    if form.is_valid():
        deeds.note_standing(by=viewer, person=found.person, element=found.element, level=form.cleaned_data["level"])
        messages.success(request, _("Noted."))
        return redirect("growth:growth" if is_own else "growth:coaching")
    if is_own:
        return respond_invalid(request, "impact/growth/goal.html", "", form, _goal_shown(found) | {"form": form})
    return respond_invalid(request, "impact/growth/coaching.html", "", form, _coaching_shown(viewer) | {"form": form})


@login_required
@require_POST
def let_coach_see(request: HttpRequest, key: UUID) -> HttpResponse:
    """Let a coach see a goal, or nobody any more."""
    found = _own_goal(request, key)
    form = CoachForm(request.POST, teacher=found.person)
    if not form.is_valid():
        return respond_invalid(request, "impact/growth/goal.html", "", form, _goal_shown(found) | {"coach_form": form})
    deeds.let_coach_see(by=found.person, goal=found, coach=form.cleaned_data["coach"])
    messages.success(request, _("Saved."))
    return redirect("growth:goal", found.key)


@login_required
@require_POST
def end_goal(request: HttpRequest, key: UUID) -> HttpResponse:
    """Leave a goal."""
    found = _own_goal(request, key)
    deeds.end_goal(by=found.person, goal=found)
    messages.success(request, _("The goal has ended. Where you stood stays with you."))
    return redirect("growth:growth")


def _coaching_shown(coach: Person) -> dict[str, Any]:
    goals = list(queries.goals_shown_to(coach))
    last = queries.standings_by(coach, goals)
    return {"goals": [{"goal": each, "last": last.get(each.pk)} for each in goals], "form": StandingForm()}


@login_required
@require_safe
def coaching(request: HttpRequest) -> HttpResponse:
    """Goals that teachers let a coach see. Nothing of where they say that they stand."""
    viewer = person_of(request)
    if not rules.may_coach_somebody(viewer):
        raise Http404
    return render_page(request, "impact/growth/coaching.html", _coaching_shown(viewer))


@login_required
def aims(request: HttpRequest, key: UUID) -> HttpResponse:
    """Which practices an activity is there for."""
    viewer = person_of(request)
    found = get_object_or_404(activities_entered_by(viewer), key=key)
    if not may_enter_activity(viewer, found.organization):
        raise Http404
    form = AimsForm(request.POST if request.method == "POST" else None, viewer=viewer, activity=found)
    if request.method == "POST" and form.is_valid():
        try:
            deeds.set_aims(by=viewer, activity=found, elements=form.chosen())
        except PermissionDenied:
            raise Http404 from None
        messages.success(request, _("Saved."))
        return redirect("records:activity", found.key)
    if form.is_bound:
        return respond_invalid(request, "impact/growth/aims.html", "", form, {"activity": found})
    return render_page(request, "impact/growth/aims.html", {"activity": found, "form": form})


@login_required
@require_safe
def aims_of(request: HttpRequest, key: UUID) -> HttpResponse:
    """What an activity is there for, as a part of its page among the records."""
    viewer = person_of(request)
    found = get_object_or_404(activities_entered_by(viewer), key=key)
    said = [str(each.element) for each in found.aims.select_related("element")]
    context = {"activity": found, "aims": said, "may_change": may_enter_activity(viewer, found.organization)}
    return render_page(request, "impact/growth/aims_of.html", context, fragment="aims")
