"""Addresses of lessons. Moments hang below their lesson; clips have addresses of their own (``clip_urls``)."""

from django.urls import path, re_path

from staffroom.seeing.lessons.views import clips, lessons, moments

app_name = "lessons"
urlpatterns = [
    path("", lessons.list_lessons, name="list"),
    path("shared/", lessons.list_shared, name="shared"),
    path("new/", lessons.new_lesson, name="new"),
    path("opened/<uuid:key>/", lessons.show_opened, name="opened"),
    path("<slug:slug>/", lessons.show_lesson, name="lesson"),
    path("<slug:slug>/record/", lessons.record_lesson, name="record"),
    path("<slug:slug>/record/finish/", lessons.finish_recording, name="finish_recording"),
    path("<slug:slug>/progress/", lessons.show_progress, name="progress"),
    path("<slug:slug>/media/", lessons.media, name="media"),
    path("<slug:slug>/sit/", lessons.sit, name="sit"),
    path("<slug:slug>/change/", lessons.change_lesson, name="change"),
    path("<slug:slug>/reflect/", lessons.reflect, name="reflect"),
    path("<slug:slug>/delete/", lessons.delete_lesson, name="delete"),
    path("<slug:slug>/original/", lessons.download_original, name="original"),
    re_path(r"^(?P<slug>[-\w]+)/moments\.(?P<layout>jsonld|vtt|csv)$", lessons.export_moments, name="export"),
    path("<slug:slug>/moments/", moments.note_in_lesson, name="note_moment"),
    path("<slug:slug>/captions/", lessons.caption_lesson, name="captions"),
    path("<slug:slug>/captions.vtt", lessons.captions_file, name="captions_file"),
    path("<slug:slug>/clip/", clips.make_clip, name="make_clip"),
]
