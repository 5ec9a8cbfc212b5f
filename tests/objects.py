"""A server that speaks S3, in a process of its own, for the tests of deep storage through rclone."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.running import ROOT, free_port

SERVER = ROOT / "build/s3-env/bin/moto_server"
KEY, SECRET = "AKIALEADLINETESTS", "very-secret-words-of-the-tests"


@dataclass
class ObjectStore:
    """Where it answers, and the environment that tells rclone of it under the name of `tank`."""

    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def remote(self) -> dict[str, str]:
        return {
            "RCLONE_CONFIG_TANK_TYPE": "s3",
            "RCLONE_CONFIG_TANK_PROVIDER": "Other",
            "RCLONE_CONFIG_TANK_REGION": "us-east-1",
            "RCLONE_CONFIG_TANK_ENDPOINT": self.address,
            "RCLONE_CONFIG_TANK_ACCESS_KEY_ID": KEY,
            "RCLONE_CONFIG_TANK_SECRET_ACCESS_KEY": SECRET,
        }

    def say(self, method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """One request, without rclone: makes buckets, and does to objects what nobody should."""
        asked = urllib.request.Request(f"{self.address}/{path}", body, method=method, headers=headers)
        asked.add_header("Authorization", f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request")
        with urllib.request.urlopen(asked, timeout=10) as answer:
            found: bytes = answer.read()
        return found


@contextmanager
def running(**variables: str) -> Iterator[ObjectStore]:
    """The server, until the block ends."""
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | variables
    command = [str(SERVER), "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as server:
        store = ObjectStore(port)
        try:
            for _ in range(200):
                try:
                    store.say("GET", "moto-api/data.json")
                    break
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.1)
            yield store
        finally:
            server.kill()
