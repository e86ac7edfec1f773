import os

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImpactConfig(AppConfig):
    name = "staffroom.knowing.impact"
    label = "impact"
    verbose_name = _("Impact")

    def ready(self) -> None:
        from staffroom.jobs import schedules
        from staffroom.knowing.impact import personal, rules, tasks
        from staffroom.ui import navigation

        # Small matrices: a second thread of the linear algebra only doubles the CPU time. Read when NumPy is first imported.
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        personal.declare_all()
        schedules.every(tasks.compute_changed, hours=1)
        navigation.register(
            navigation.Entry(
                "impact", _("What works"), "chart-line", "impact:activities", 50, guard=rules.has_what_works
            )
        )
