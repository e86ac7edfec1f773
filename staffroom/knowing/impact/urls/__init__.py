"""Addresses of what works."""

from django.urls import path

from staffroom.knowing.impact.views import ledgers, portfolio, results

app_name = "impact"
urlpatterns = [
    path("", portfolio.activities, name="activities"),
    path("progress/", portfolio.progress, name="progress"),
    path("<slug:slug>/", results.activity, name="activity"),
    path("<slug:slug>/progress/", results.activity_progress, name="activity_progress"),
    path("<slug:slug>/figures.csv", results.activity_csv, name="csv"),
    path("<slug:slug>/figures.json", results.activity_json, name="json"),
    path("<slug:slug>/report/", results.report, name="report"),
    path("<slug:slug>/study.zip", results.study_files, name="study_files"),
    path("<slug:slug>/pictures/", results.more_pictures, name="more"),
    path("<slug:slug>/pictures/<slug:name>.<slug:kind>", results.picture, name="picture"),
    path("<slug:slug>/entries/", ledgers.entries, name="entries"),
    path("<slug:slug>/ingredients/", ledgers.ingredients, name="ingredients"),
]
