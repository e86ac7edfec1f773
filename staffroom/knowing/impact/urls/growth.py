from django.urls import path

from staffroom.knowing.impact.views import growth

app_name = "growth"
urlpatterns = [
    path("", growth.growth, name="growth"),
    path("students/", growth.students, name="students"),
    path("goals/new/", growth.new_goal, name="new_goal"),
    path("goals/<uuid:key>/", growth.goal, name="goal"),
    path("goals/<uuid:key>/standing/", growth.note_standing, name="note_standing"),
    path("goals/<uuid:key>/coach/", growth.let_coach_see, name="let_coach_see"),
    path("goals/<uuid:key>/end/", growth.end_goal, name="end_goal"),
    path("coaching/", growth.coaching, name="coaching"),
    path("activities/<uuid:key>/", growth.aims, name="aims"),
    path("activities/<uuid:key>/aims/", growth.aims_of, name="aims_of"),
]
