"""All addresses, composed from the rooms. Nothing is decided here."""

from django.conf import settings
from django.urls import include, path

from staffroom.api import api, nothing_here
from staffroom.entrance import alive, health, ready
from staffroom.people.views.outside import finish_saml

urlpatterns = [
    path("health/", health, name="health"),
    path("health/alive/", alive, name="alive"),
    path("health/ready/", ready, name="ready"),
    path("api/", api.urls),
    path("api/<path:rest>", nothing_here),
    path("jobs/", include("staffroom.jobs.urls")),
    path("records/", include("staffroom.records.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("staffroom.files.urls")),
    path("", include("staffroom.people.urls")),
    path("", include("staffroom.permissions.urls")),
    path("", include("staffroom.conversations.urls")),
    path("frameworks/", include("staffroom.frameworks.urls")),
    path("", include("staffroom.exchange.urls")),
    path("lessons/", include("staffroom.seeing.lessons.urls")),
    path("", include("staffroom.seeing.lessons.clip_urls")),
    path("what-works/", include("staffroom.knowing.impact.urls")),
    path("lotteries/", include("staffroom.knowing.impact.urls.lotteries")),
    path("studies/", include("staffroom.knowing.impact.urls.studies")),
    path("evidence/", include("staffroom.knowing.impact.urls.evidence")),
    path("growth/", include("staffroom.knowing.impact.urls.growth")),
    path("", include("staffroom.home.urls")),
]
if "saml" in settings.SOCIALACCOUNT_PROVIDERS:
    urlpatterns.insert(0, path("accounts/saml/<slug:organization_slug>/acs/finish/", finish_saml))
if settings.DEBUG:
    urlpatterns += [path("ui/", include("staffroom.ui.urls"))]
