"""The AppConfig of inventory."""

from portal.floor import Floor


class InventoryConfig(Floor):
    name = "inventory"
    default_auto_field = "django.db.models.BigAutoField"
