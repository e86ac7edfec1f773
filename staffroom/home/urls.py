from django.urls import path

from staffroom.home import views

app_name = "home"
urlpatterns = [
    path("", views.front, name="front"),
    path("health/parts/", views.health_of_parts, name="parts"),
    path("my-record/", views.my_record, name="my_record"),
    path("my-record/who-opened/", views.who_opened, name="who_opened"),
    path("my-record/export/", views.export, name="export"),
    path("my-record/erase/", views.erase, name="erase"),
    path("people/<uuid:key>/erase/", views.erase_person, name="erase_person"),
    path("my-record/<str:kind>/", views.my_record_kind, name="my_record_kind"),
]
