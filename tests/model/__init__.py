"""A model test of the calendar sync: both sides in one process, people, crashes and faults, all from one seed."""
