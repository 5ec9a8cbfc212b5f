"""The AppConfig of publishing."""

from portal.floor import Floor


class PublishingConfig(Floor):
    name = "publishing"
    default_auto_field = "django.db.models.BigAutoField"
