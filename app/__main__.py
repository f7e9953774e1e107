"""This file is about `python -m app`, which is the command `kullback`."""

from app.cli import main

main()
