"""The console command, for commands that have no script of their own."""

from attnlab.cli.main import main

main()
