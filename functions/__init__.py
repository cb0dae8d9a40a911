"""The functions, one folder each; this runs before anything of theirs is imported."""

import gc

gc.set_threshold(200_000, 20, 50)  # a start makes many objects that stay; `settle` goes back to looking for garbage
