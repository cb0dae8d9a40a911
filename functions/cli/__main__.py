"""`python -m functions.cli` is `bitbylaw`."""

from functions.cli import main

main(prog_name="bitbylaw")
