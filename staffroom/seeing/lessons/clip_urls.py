"""Addresses of clips and moments: one for the owner and for everybody whom she lends them to."""

from django.urls import path, re_path

from staffroom.seeing.lessons.views import clips, moments

app_name = "clips"
urlpatterns = [
    path("clips/<uuid:key>/", clips.show_clip, name="clip"),
    path("clips/<uuid:key>/share/", clips.share_clip, name="share"),
    path("clips/<uuid:key>/retract/", clips.retract_clip, name="retract"),
    path("clips/<uuid:key>/delete/", clips.remove_clip, name="delete"),
    path("clips/<uuid:key>/comment/", clips.comment_on_clip, name="comment"),
    path("clips/<uuid:key>/media/", clips.media, name="media"),
    path("clips/<uuid:key>/download/", clips.download_clip, name="download"),
    path("clips/<uuid:key>/sit/", clips.sit, name="sit"),
    path("clips/<uuid:key>/progress/", clips.show_progress, name="progress"),
    path("clips/<uuid:key>/captions.vtt", clips.captions_file, name="captions"),
    path("clips/<uuid:key>/waveform.json", clips.waveform, name="waveform"),
    path("clips/<uuid:key>/storyboard.jpg", clips.storyboard, name="storyboard"),
    path("clips/<uuid:key>/moments/", moments.note_in_clip, name="note_moment"),
    re_path(r"^clips/(?P<key>[0-9a-f-]{36})/moments\.(?P<layout>jsonld|vtt|csv)$", clips.export_moments, name="export"),
    path("moments/<uuid:key>/", moments.change_moment, name="change_moment"),
    path("moments/<uuid:key>/remove/", moments.remove_moment, name="remove_moment"),
    path("moments/<uuid:key>/reply/", moments.reply_to_moment, name="reply"),
]
