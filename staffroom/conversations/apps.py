from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConversationsConfig(AppConfig):
    name = "staffroom.conversations"
    label = "conversations"
    verbose_name = _("Conversations")

    def ready(self) -> None:
        from staffroom.conversations import listening, personal, queries, tasks
        from staffroom.jobs.schedules import every
        from staffroom.ui import navigation

        personal.declare_all()
        listening.listen()
        every(tasks.mail_gathered, hours=24)
        navigation.register(
            navigation.Entry(
                "notices", _("Notices"), "bell", "conversations:notices", 90, place="bell", count=queries.unread_in_sql
            )
        )
