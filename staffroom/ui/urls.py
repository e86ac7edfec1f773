"""The style guide. Mounted where Staffroom is developed only."""

from django.urls import path

from staffroom.ui import views

app_name = "ui"
urlpatterns = [
    path("", views.guide, name="guide"),
    path("fragment/", views.fragment, name="fragment"),
    path("error/<int:status>/", views.error, name="error"),
]
