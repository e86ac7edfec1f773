"""Addresses of what works."""

from django.urls import path

from staffroom.knowing.impact import views

app_name = "impact"
urlpatterns = [
    path("", views.activities, name="activities"),
    path("progress/", views.progress, name="progress"),
    path("<slug:slug>/", views.activity, name="activity"),
    path("<slug:slug>/progress/", views.activity_progress, name="activity_progress"),
    path("<slug:slug>/figures.csv", views.activity_csv, name="csv"),
    path("<slug:slug>/figures.json", views.activity_json, name="json"),
    path("<slug:slug>/entries/", views.entries, name="entries"),
    path("<slug:slug>/ingredients/", views.ingredients, name="ingredients"),
]
