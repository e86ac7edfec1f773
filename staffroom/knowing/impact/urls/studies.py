"""Addresses of studies."""

from django.urls import path

from staffroom.knowing.impact.views import studies, study_results

app_name = "studies"
urlpatterns = [
    path("", studies.studies, name="studies"),
    path("new/", studies.new_study, name="new"),
    path("power/", studies.power, name="power"),
    path("<slug:slug>/", studies.study, name="study"),
    path("<slug:slug>/change/", studies.change_study, name="change"),
    path("<slug:slug>/register/", studies.register, name="register"),
    path("<slug:slug>/close/", studies.close, name="close"),
    path("<slug:slug>/progress/", studies.progress, name="progress"),
    path("<slug:slug>/result/", study_results.result, name="result"),
    path("<slug:slug>/result/<slug:name>.<slug:kind>", study_results.picture, name="picture"),
    path("<slug:slug>/report/", study_results.report, name="report"),
    path("<slug:slug>/study.zip", study_results.files, name="files"),
    path("<slug:slug>/study.json", study_results.study_json, name="json"),
    path("<slug:slug>/versions/<int:number>.json", study_results.protocol, name="protocol"),
]
