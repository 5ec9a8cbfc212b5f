"""Addresses of the inventory."""

from __future__ import annotations

from django.urls import path

from inventory import api_copies, api_datasets, api_files, api_history
from inventory.views import areas, arrivals, compared, datasets, deep, feeds, files, profiles, review, search

C = "cruise/<str:cruise_id>/"
urlpatterns = [
    path("files/", search.search, name="files"),
    path("files.csv", search.search_csv, name="files-csv"),
    path("files.geojson", search.search_geojson, name="files-geojson"),
    path("api/v1/files", api_files.FileSearch.as_view(), name="api-files"),
    path("api/v1/areas", api_files.AreaList.as_view(), name="api-areas"),
    path("areas/", areas.area_list, name="areas"),
    path("areas/load/", areas.load, name="load-areas"),
    path("areas/<uuid:uuid>/", areas.area_page, name="area"),
    path("areas/<uuid:uuid>/remove/", areas.remove, name="remove-area"),
    path("areas/<uuid:uuid>.geojson", areas.area_geojson, name="area-geojson"),
    path(C + "receive/", arrivals.receive, name="receive"),
    path(C + "receive/upload/", arrivals.upload, name="upload"),
    path(C + "announce/", arrivals.announce, name="announce"),
    path("arrivals/", arrivals.arrival_list, name="arrivals"),
    path("arrivals/<uuid:uuid>/", arrivals.arrival_page, name="arrival"),
    path("arrivals/<uuid:uuid>/<str:verb>/", arrivals.act, name="arrival-act"),
    path(C + "inventory/", files.browse, name="inventory"),
    path(C + "inventory/download/<str:form>", files.download, name="inventory-download"),
    path(C + "inventory/compare/", compared.compare, name="compare"),
    path(C + "inventory/compare/manifest/", compared.compare_manifest, name="compare-manifest"),
    path(C + "inventory/history/", compared.path_history, name="path-history"),
    path("feeds/inventories.<str:kind>", feeds.feed, name="feed-all"),
    path("feeds/vessel/<str:vessel>.<str:kind>", feeds.feed, name="feed-vessel"),
    path("feeds/operator/<str:operator>/inventories.<str:kind>", feeds.feed, name="feed-operator"),
    path("api/v1/cruises/<str:cruise_id>/history", api_history.PathHistory.as_view(), name="api-path-history"),
    path("api/v1/cruises/<str:cruise_id>/copies", api_copies.Copies.as_view(), name="api-copies"),
    path(C + "inventory/reread/", files.reread, name="reread"),
    path(C + "inventory/flag/", files.flag, name="flag"),
    path(C + "inventory/flag/<int:flag>/", files.answer, name="answer-flag"),
    path(C + "classification/", datasets.classification, name="classification"),
    path(C + "classification/apply/", datasets.classify, name="classify"),
    path(C + "track.geojson", datasets.track_json, name="track"),
    path(C + "track/make/", datasets.make_track, name="make-track"),
    path(C + "track/<str:kind>.geocsv", datasets.product, name="track-product"),
    path(C + "dataset/<uuid:uuid>/", datasets.dataset_page, name="dataset"),
    path(C + "dataset/<uuid:uuid>/footprint.geojson", datasets.footprint_json, name="footprint"),
    path("api/v1/cruises/<str:cruise_id>/datasets", api_datasets.DatasetList.as_view(), name="api-datasets"),
    path(C + "dataset/<uuid:uuid>/hold/", datasets.hold, name="hold"),
    path(C + "dataset/<uuid:uuid>/lift/", datasets.lift_hold, name="lift-hold"),
    path(C + "copies/", deep.copies, name="copies"),
    path(C + "copies/ask/", deep.ask, name="ask-recovery"),
    path(C + "copies/<uuid:uuid>/repair/", deep.repair, name="repair-copy"),
    path(C + "copies/<uuid:uuid>/decide/", deep.decide, name="decide-recovery"),
    path(C + "copies/<uuid:uuid>/download/", deep.download, name="download-recovery"),
    path(C + "review/", review.review_page, name="review"),
    path(C + "review/open/", review.open_review, name="open-review"),
    path(C + "review/remark/", review.remark, name="remark"),
    path(C + "review/sign/", review.sign, name="sign"),
    path("profiles/", profiles.profile_list, name="profiles"),
    path("profiles/<str:vessel>/", profiles.profile_page, name="profile"),
    path("profiles/<str:vessel>/changes/", profiles.profile_changes, name="profile-changes"),
    path("profiles/<str:vessel>/<int:version>.<str:form>", profiles.profile_file, name="profile-file"),
]
