from django.urls import path

from staffroom.files.views import media, uploads

app_name = "files"
urlpatterns = [
    path("uploads/", uploads.uploads, name="uploads"),
    path("uploads/<uuid:key>", uploads.upload, name="upload"),
    path("media/<str:signed>/<str:filename>", media.media, name="media"),
]
