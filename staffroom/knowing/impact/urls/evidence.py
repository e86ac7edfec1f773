from django.urls import path

from staffroom.knowing.impact.views import evidence, federation

app_name = "evidence"
urlpatterns = [
    path("<uuid:key>/", evidence.evidence, name="evidence"),
    path("<uuid:key>/take-in/", evidence.take_in, name="take_in"),
    path("<uuid:key>/hand-on/", evidence.hand_on, name="hand_on"),
    path("<uuid:key>/together/", federation.together, name="together"),
    path("<uuid:key>/together/switch/", federation.switch, name="switch"),
    path("<uuid:key>/together/sums/", federation.sums, name="sums"),
    path("<uuid:key>/together/join/", federation.join, name="join"),
    path("<uuid:key>/bundles/<uuid:evidence>/drop/", evidence.drop, name="drop"),
]
