from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LessonsConfig(AppConfig):
    name = "staffroom.seeing.lessons"
    label = "lessons"
    verbose_name = _("Lessons")

    def ready(self) -> None:
        from staffroom.conversations.hosts import host
        from staffroom.conversations.notices import register
        from staffroom.files.signals import file_ready, file_refused
        from staffroom.jobs.schedules import every
        from staffroom.permissions.signals import consent_changed
        from staffroom.records.vocabulary import set_type, types
        from staffroom.seeing.lessons import personal, queries, rules, tasks
        from staffroom.seeing.lessons.models import Clip, Moment
        from staffroom.ui import navigation

        personal.declare_all()
        host(
            Moment,
            may_read=rules.may_read_moment,
            may_say=rules.may_read_moment,
            page=lambda moment: moment.get_absolute_url(),
        )
        host(Clip, may_read=rules.may_open, may_say=rules.may_open, page=lambda clip: clip.get_absolute_url())
        register("clip_shared", _("%(actor)s shared a clip with you."))
        register("clip_noted", _("%(actor)s noted something in your clip."))
        register("reply", _("%(actor)s answered."))
        register("recording_refused", _("A recording could not be used. Its page says why and what to do."))
        register("loan_ended_by_consent", _("A family changed its answer, so a loan of your clip has ended."))
        set_type("lessons.Lesson", types.VIDEO)
        set_type("lessons.Clip", types.VIDEO)
        set_type("lessons.Moment", types.NOTE)
        file_ready.connect(tasks.follow_file, dispatch_uid="lessons.file_ready")
        file_refused.connect(tasks.follow_file, dispatch_uid="lessons.file_refused")
        consent_changed.connect(tasks.heed_consent, dispatch_uid="lessons.consent_changed")
        every(tasks.close_sittings, minutes=5)
        every(tasks.set_aside_ended, hours=1)
        navigation.register(
            navigation.Entry(
                "lessons",
                _("Lessons"),
                "clapperboard",
                "lessons:list",
                10,
                count=queries.loans_unopened_in_sql,
                surely=queries.unseen_here_in_sql,
                exactly=queries.unseen_count,
            )
        )
