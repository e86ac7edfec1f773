from django.urls import path

from staffroom.permissions import views

app_name = "permissions"
urlpatterns = [
    path("circles/", views.circles, name="circles"),
    path("circles/<uuid:key>/", views.circle, name="circle"),
    path("circles/<uuid:key>/leave/<uuid:person_key>/", views.leave_circle, name="leave_circle"),
    path("consent/", views.sections, name="sections"),
    path("consent/<int:pk>/", views.section, name="section"),
    path("consent/<int:pk>/<uuid:student_key>/", views.answer, name="answer"),
    path("policy/", views.policy, name="policy"),
    path("break-glass/", views.glass_requests, name="glass_requests"),
    path("break-glass/<int:pk>/", views.answer_glass, name="answer_glass"),
    path("break-glass/<slug:kind>/<uuid:key>/", views.ask_glass, name="ask_glass"),
]
