"""What travels between functions, and how it is worked off."""
