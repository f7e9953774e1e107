"""`python -m kullback`: the command `kullback`."""

from kullback.cli import main

main()
