from django.urls import path

from staffroom.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.jobs, name="list"),
    path("<uuid:key>/", views.job, name="job"),
    path("<uuid:key>/retry/", views.retry, name="retry"),
]
