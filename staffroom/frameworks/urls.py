"""Addresses of frameworks."""

from django.urls import path

from staffroom.frameworks import views

app_name = "frameworks"
urlpatterns = [
    path("", views.list_frameworks, name="list"),
    path("import/", views.import_framework, name="import"),
    path("<slug:slug>/", views.show_framework, name="framework"),
    path("<slug:slug>/versions/<int:number>/", views.show_framework, name="version"),
    path("<slug:slug>/versions/<int:number>/publish/", views.publish, name="publish"),
]
