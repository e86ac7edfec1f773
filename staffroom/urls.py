"""All addresses, composed from the rooms. Nothing is decided here."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("staffroom.people.urls")),
    path("", include("staffroom.home.urls")),
]
