"""`make bench`: every benchmark, one after the other; ratios against references measured in the same run."""

from benchmarks import cold_start, leads, lookup, proxy, webhooks

for each in (cold_start, webhooks, leads, lookup, proxy):
    each.main()
    print()
