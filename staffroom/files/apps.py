from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FilesConfig(AppConfig):
    name = "staffroom.files"
    label = "files"
    verbose_name = _("Files")

    def ready(self) -> None:
        from django.db.models.signals import post_delete
        from django.tasks.signals import task_finished

        from staffroom.files import personal, removal, tasks
        from staffroom.jobs.schedules import every

        personal.declare_all()
        removal.follow(post_delete)
        task_finished.connect(tasks.note_last_failure, dispatch_uid="files.note_last_failure")
        every(tasks.round_of_files, hours=1)
