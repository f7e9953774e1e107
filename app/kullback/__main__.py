"""This file is about `python -m kullback`, which is the command `kullback`."""

from kullback.cli import main

main()
