"""The addresses of the xAPI door, and of the pages for those who administer tools."""

from __future__ import annotations

from django.urls import path

from staffroom.exchange.views import documents, statements, things, tokens

app_name = "exchange"
urlpatterns = [
    path("xapi/statements", statements.statements, name="statements"),
    path("xapi/activities/state", documents.state, name="state"),
    path("xapi/activities/profile", documents.activity_profile, name="activity_profile"),
    path("xapi/agents/profile", documents.agent_profile, name="agent_profile"),
    path("xapi/activities", things.activities, name="activities"),
    path("xapi/agents", things.agents, name="agents"),
    path("xapi/about", things.about, name="about"),
    path("xapi/oauth/token", tokens.token, name="token"),
]
