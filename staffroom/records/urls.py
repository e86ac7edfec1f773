from django.urls import path

from staffroom.records.views import activities, costs, entries, imports, keeping

app_name = "records"
urlpatterns = [
    path("", keeping.home, name="home"),
    path("entries/", entries.entries, name="entries"),
    path("entries.csv", entries.entries_csv, name="entries-csv"),
    path("entries/<uuid:key>/void/", entries.void_entry, name="void-entry"),
    path("activities/", activities.activities, name="activities"),
    path("activities/new/", activities.new_activity, name="new-activity"),
    path("activities/<uuid:key>/", activities.activity, name="activity"),
    path("activities/<uuid:key>/change/", activities.change_activity, name="change-activity"),
    path("activities/<uuid:key>/attendance/", activities.attendance, name="attendance"),
    path("activities/<uuid:key>/attendance/file/", activities.attendance_file, name="attendance-file"),
    path("activities/<uuid:key>/ingredients/", activities.add_ingredient, name="add-ingredient"),
    path("activities/<uuid:key>/costs.csv", activities.costs_csv, name="costs-csv"),
    path("activities/<uuid:key>/costs/<uuid:line>/void/", activities.void_cost, name="void-cost"),
    path("instruments/", keeping.instruments, name="instruments"),
    path("instruments/new/", keeping.new_instrument, name="new-instrument"),
    path("instruments/<uuid:key>/", keeping.instrument, name="instrument"),
    path("instruments/<uuid:key>/results.csv", keeping.instrument_csv, name="instrument-csv"),
    path("prices/", keeping.prices, name="prices"),
    path("prices.csv", keeping.prices_csv, name="prices-csv"),
    path("prices/new/", keeping.new_price, name="new-price"),
    path("prices/<int:pk>/end/", keeping.end_price, name="end-price"),
    path("prices/indexes/", costs.indexes, name="indexes"),
    path("prices/indexes/set/", costs.set_index, name="set-index"),
    path("prices/indexes/<int:pk>/drop/", costs.drop_index, name="drop-index"),
    path("compare/", costs.compare, name="compare-costs"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<uuid:key>/", imports.one_import, name="import"),
    path("imports/<uuid:key>/columns/", imports.mapping, name="import-mapping"),
    path("imports/<uuid:key>/start/", imports.start, name="start-import"),
    path("imports/<uuid:key>/drop/", imports.drop, name="drop-import"),
    path("imports/<uuid:key>/problems.csv", imports.problems_csv, name="import-problems"),
]
