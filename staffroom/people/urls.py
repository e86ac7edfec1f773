from django.urls import path

from staffroom.people.views import joining, organizations, persons, rosters

app_name = "people"
urlpatterns = [
    path("people/", persons.people, name="people"),
    path("people/list.csv", persons.people_csv, name="people-csv"),
    path("people/roles/<int:pk>/end/", persons.end_role, name="end-role"),
    path("people/<uuid:key>/", persons.person, name="person"),
    path("people/<uuid:key>/roles/", persons.give_role, name="give-role"),
    path("organizations/", organizations.organizations, name="organizations"),
    path("organizations/<slug:slug>/", organizations.organization, name="organization"),
    path("organizations/<slug:slug>/invite/", organizations.invite, name="invite"),
    path("organizations/<slug:slug>/add/", organizations.add, name="add-organization"),
    path("organizations/<slug:slug>/rename/", organizations.rename, name="rename-organization"),
    path("organizations/<slug:slug>/move/", organizations.move, name="move-organization"),
    path("invitations/<int:pk>/withdraw/", organizations.withdraw, name="withdraw-invitation"),
    path("join/<str:secret>/", joining.join, name="join"),
    path("sections/", organizations.sections, name="sections"),
    path("sections/<int:pk>/", organizations.section, name="section"),
    path("rosters/", rosters.rosters, name="rosters"),
    path("rosters/template.csv", rosters.template_csv, name="roster-template"),
    path("rosters/<int:pk>/", rosters.roster, name="roster"),
    path("rosters/<int:pk>/take/", rosters.take, name="take-roster"),
    path("rosters/<int:pk>/problems.csv", rosters.problems_csv, name="roster-problems"),
]
