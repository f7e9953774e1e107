"""A server that works as soon as it is told to, as all is imported before.

Its upkeep never rests, so that it is under way when the server is killed.
"""

import sys

from kullback import main, server
from kullback.cli import main as command
from kullback.experiments import maintenance as experiments
from kullback.monitoring import maintenance

RESTS_SECONDS = 0.1

if __name__ == "__main__":
    assert server  # imported for its time
    main.MAINTENANCE_SECONDS = RESTS_SECONDS
    maintenance.FULL_EVERY = experiments.FULL_EVERY = 0.0
    if sys.stdin.readline():  # nothing comes any more when the test has ended
        command()
