#!/usr/bin/env python3
"""Leadline's commands: `manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Runs the command of the command line; a setting that cannot be understood is told in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if settings.configured:
            raise
        sys.exit(f"Leadline cannot start: {error}.")


if __name__ == "__main__":
    main()
