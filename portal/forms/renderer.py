"""Draws form fields with our own template."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Fields in the shape of templates/parts/_field.html."""

    field_template_name = "parts/_field.html"
