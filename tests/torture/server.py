"""A server that is at work as soon as it is told: all is imported before.

Its maintenance never rests, so that it is under way when the server is killed.
"""

import sys

from kullback.main import Runtime
from kullback.server import serve
from kullback.settings import Settings

RESTLESS = Runtime(maintenance_seconds=0.1, full_round_seconds=0.0)

if __name__ == "__main__" and sys.stdin.readline():  # nothing comes once the test has ended
    sys.exit(serve(Settings(port=0, log_format="json"), RESTLESS))
