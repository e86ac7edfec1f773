"""Addresses of notices, comments and drafts."""

from django.urls import path, re_path

from staffroom.conversations import views

app_name = "conversations"
urlpatterns = [
    path("notices/", views.notices, name="notices"),
    path("notices/read/", views.read_notices, name="read_notices"),
    path("notices/mail/", views.wish_mail, name="wish_mail"),
    path("notices/<int:notice_id>/", views.open_notice, name="open_notice"),
    path("comments/<uuid:key>/", views.edit_comment, name="edit_comment"),
    path("comments/<uuid:key>/withdraw/", views.withdraw_comment, name="withdraw_comment"),
    re_path(r"^drafts/(?P<place>[a-z0-9:-]{1,200})/$", views.draft, name="draft"),
]
