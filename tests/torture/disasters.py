"""Disasters of a PostgreSQL server under its replicas."""

import os
import signal
import subprocess
from pathlib import Path

from tests.postgresql import Server


def kill_a_backend(server: Server) -> None:
    """Kill the process of one connection: the server ends all others too, and recovers."""
    busy = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'kullback' "
        "ORDER BY state_change DESC LIMIT 1"
    )
    with server.connect() as connection:
        row = connection.execute(busy).fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    os.kill(row[0], signal.SIGKILL)


def restart(server: Server, programs: Path) -> None:
    """Stop the server at once, as if the power were cut, and start it again."""
    with server.connect() as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    data = Path(str(row[0]))
    log = data.parent / "log"
    subprocess.run(  # noqa: S603 - the server's own program
        [programs / "pg_ctl", "-D", data, "-l", log, "-m", "immediate", "-w", "restart"],
        user=data.stat().st_uid if os.geteuid() == 0 else None,
        group=data.stat().st_gid if os.geteuid() == 0 else None,
        extra_groups=[] if os.geteuid() == 0 else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
