"""Loaded before Django's settings: tests run in their own mode, in a home of their own, and never on real services."""

import atexit
import os
import shutil
import tempfile

if "LEADLINE_TEST_HOME" not in os.environ:
    home = tempfile.mkdtemp(prefix="leadline-test-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["LEADLINE_TEST_HOME"] = home

os.environ["LEADLINE_MODE"] = "test"
os.environ["LEADLINE_HOME"] = os.environ["LEADLINE_TEST_HOME"]
os.environ["SECRET_KEY"] = "only-for-tests-" + "x" * 40
os.environ["LOG_LEVEL"] = "ERROR"
for name in ("REDIS_URL", "EMAIL_URL", "REGISTRAR_URL", "ORCID_CLIENT_ID", "SITE"):
    os.environ.pop(name, None)
os.environ["LEADLINE_URL"] = "http://testserver"
os.environ["PORT"] = "8000"
# DATABASE_URL is what script/test says: nothing for the embedded default, or its own PostGIS.
