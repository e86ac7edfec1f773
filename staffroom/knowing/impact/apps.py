import os

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImpactConfig(AppConfig):
    name = "staffroom.knowing.impact"
    label = "impact"
    verbose_name = _("Impact")

    def ready(self) -> None:
        from staffroom.conversations import notices
        from staffroom.jobs import schedules
        from staffroom.knowing.impact import personal, queries, rules, tasks
        from staffroom.ui import navigation, slots

        # Small matrices: a second thread of the linear algebra only doubles the CPU time. Read when NumPy is first imported.
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        personal.declare_all()
        schedules.every(tasks.compute_changed, hours=1)
        schedules.every(tasks.answer_registered, hours=1)
        schedules.every(tasks.calibrate, hours=24)
        schedules.every(tasks.invite_due, hours=1)
        schedules.every(tasks.close_due, hours=1)
        notices.register(
            "lottery_announced", _("You are on the list of “%(lottery)s”: your ticket, and how it is drawn.")
        )
        notices.register("seats_open", _("Seats in “%(lottery)s” are given out by lot: ask for one, if you want it."))
        notices.register(
            "seats_closed", _("Nobody can ask for a seat in “%(lottery)s” any more: announce how it is drawn.")
        )
        notices.register("lottery_taken_off", _("You were taken off the list of “%(lottery)s”."))
        notices.register("lottery_drawn", _("“%(lottery)s” was drawn: see your place."))
        notices.register("seat_offered", _("A seat is yours in “%(lottery)s”: take it or leave it."))
        navigation.register(
            navigation.Entry(
                "impact", _("What works"), "chart-line", "impact:activities", 50, guard=rules.has_what_works
            )
        )
        navigation.register(
            navigation.Entry("growth", _("My growth"), "sprout", "growth:growth", 45, guard=rules.has_growth)
        )
        navigation.register(
            navigation.Entry(
                "growth-coaching", _("Goals shown to me"), "target", "growth:coaching", 70,
                guard=rules.may_coach_somebody, place="account",
            )
        )  # fmt: skip
        navigation.register(
            navigation.Entry(
                "lotteries",
                _("Seats by lot"),
                "dices",
                "lotteries:lotteries",
                75,
                guard=rules.has_seats,
                place="account",
            )
        )
        slots.fill(
            "home:front", "lotteries:waiting", label=_("Seats given out by lot"), guard=queries.has_seats_waiting
        )
        slots.fill("records:activity", "lotteries:on_activity", order=20, label=_("Seats given out by lot"))
        slots.fill("records:activity", "growth:aims_of", order=10, label=_("What it is there for"))
        notices.register("growth.goal_shared", _("%(actor)s lets you see a goal and asks where you see her stand."))
        notices.register("growth.standing_noted", _("%(actor)s said where you stand in a goal of yours."))
