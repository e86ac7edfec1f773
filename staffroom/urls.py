"""All addresses, composed from the rooms. Nothing is decided here."""

from django.urls import include, path

urlpatterns = [
    path("", include("staffroom.home.urls")),
]
