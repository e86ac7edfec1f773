from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "staffroom.ui"
    label = "ui"

    def ready(self) -> None:
        from staffroom.ui import checks  # noqa: F401  (registers itself)
