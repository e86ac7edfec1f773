"""The style guide and places to go, for the tests of the interface."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def place(request: HttpRequest, **parts: object) -> HttpResponse:
    return HttpResponse("here")


urlpatterns = [
    path("", place, name="front"),
    path("ui/", include("staffroom.ui.urls")),
    path("lessons/", place, name="lessons"),
    path("lessons/new/", place, name="new-lesson"),
    path("lessons/<int:pk>/talk/", place, name="talk"),
    path("notices/", place, name="notices"),
    *[path(f"place/{number}/", place, name=f"place-{number}") for number in range(1, 8)],
    path("accounts/", include("allauth.urls")),
]
