"""Addresses of the site."""

from django.urls import path

from intake import health, views

urlpatterns = [
    path("api/forms/", views.receive_form, name="receive-form"),
    path("api/forms/<slug:form_id>/", views.show_form, name="form"),
    path("api/cases/<slug:case_id>/", views.show_case, name="case"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]
