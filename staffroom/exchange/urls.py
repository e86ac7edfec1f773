"""The addresses of the xAPI door, and of the pages for those who administer tools."""

from __future__ import annotations

from django.urls import path

from staffroom.exchange.views import agents, documents, forwarding, mappings, statements, things, tokens, tools

app_name = "exchange"
urlpatterns = [
    path("xapi/statements", statements.statements, name="statements"),
    path("xapi/activities/state", documents.state, name="state"),
    path("xapi/activities/profile", documents.activity_profile, name="activity_profile"),
    path("xapi/agents/profile", documents.agent_profile, name="agent_profile"),
    path("xapi/activities", things.activities, name="activities"),
    path("xapi/agents", things.agents, name="agents"),
    path("xapi/about", things.about, name="about"),
    path("xapi/openapi.json", things.openapi, name="openapi"),
    path("xapi/oauth/token", tokens.token, name="token"),
    path("tools/", tools.tools, name="tools"),
    path("tools.csv", tools.tools_csv, name="tools-csv"),
    path("tools/new/", tools.new_tool, name="new-tool"),
    path("tools/<uuid:key>/", tools.tool, name="tool"),
    path("tools/<uuid:key>/change/", tools.change_tool, name="change-tool"),
    path("tools/<uuid:key>/retire/", tools.retire, name="retire-tool"),
    path("tools/<uuid:key>/keys/new/", tools.new_key, name="new-key"),
    path("tools/<uuid:key>/keys/<slug:name>/revoke/", tools.revoke, name="revoke-key"),
    path("tools/people/", agents.agents, name="people"),
    path("tools/people.csv", agents.agents_csv, name="people-csv"),
    path("tools/people/<int:pk>/", agents.agent, name="agent"),
    path("tools/people/<int:pk>/apart/", agents.apart, name="set-apart"),
    path("tools/courses/", mappings.mappings, name="mappings"),
    path("tools/courses/new/", mappings.new_mapping, name="new-mapping"),
    path("tools/courses/<int:pk>/", mappings.mapping, name="mapping"),
    path("tools/courses/<int:pk>/change/", mappings.change_mapping, name="change-mapping"),
    path("tools/courses/<int:pk>/remove/", mappings.remove_mapping, name="remove-mapping"),
    path("tools/forwarding/", forwarding.destinations, name="destinations"),
    path("tools/forwarding/new/", forwarding.new_destination, name="new-destination"),
    path("tools/forwarding/<int:pk>/", forwarding.destination, name="destination"),
    path("tools/forwarding/<int:pk>/change/", forwarding.change_destination, name="change-destination"),
    path("tools/forwarding/<int:pk>/switch/", forwarding.switch_destination, name="switch-destination"),
    path("tools/forwarding/<int:pk>/remove/", forwarding.remove_destination, name="remove-destination"),
    path("tools/forwarding/<int:pk>/again/", forwarding.try_again, name="try-again"),
    path("tools/hours/<uuid:key>/", mappings.hours, name="hours"),
    path("tools/hours/<int:pk>/", mappings.credit, name="credit"),
]
