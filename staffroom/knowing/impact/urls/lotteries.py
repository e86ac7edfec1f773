"""Addresses of lotteries."""

from django.urls import path

from staffroom.knowing.impact.views import applying, lotteries

app_name = "lotteries"
urlpatterns = [
    path("", lotteries.lotteries, name="lotteries"),
    path("new/", lotteries.new_lottery, name="new"),
    path("power/", lotteries.power, name="power"),
    path("waiting/", applying.waiting, name="waiting"),
    path("redraw.py", applying.redraw_program, name="redraw"),
    path("of/<uuid:key>/", applying.on_activity, name="on_activity"),
    path("<slug:slug>/", lotteries.lottery, name="lottery"),
    path("<slug:slug>/change/", lotteries.change_lottery, name="change"),
    path("<slug:slug>/open/", applying.open_applications, name="open"),
    path("<slug:slug>/ask/", applying.ask, name="ask"),
    path("<slug:slug>/withdraw/", applying.withdraw, name="withdraw"),
    path("<slug:slug>/list/", lotteries.list_people, name="list"),
    path("<slug:slug>/balance/", lotteries.balance, name="balance"),
    path("<slug:slug>/people/", lotteries.add_people, name="add_people"),
    path("<slug:slug>/people/<int:pk>/remove/", lotteries.remove_person, name="remove_person"),
    path("<slug:slug>/people.csv", lotteries.people, name="people_csv"),
    path("<slug:slug>/announce/", lotteries.announce, name="announce"),
    path("<slug:slug>/draw/", lotteries.draw, name="draw"),
    path("<slug:slug>/again/", lotteries.draw_anew, name="draw_anew"),
    path("<slug:slug>/offers/<int:pk>/", lotteries.answer, name="answer"),
    path("<slug:slug>/draw.csv", lotteries.check, name="check"),
    path("<slug:slug>/study/", lotteries.make_study, name="make_study"),
]
