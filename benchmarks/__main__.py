"""`make bench`: every benchmark, one after the other; ratios against references measured in the same run."""

from benchmarks import cold_start, leads, proxy, webhooks

for each in (cold_start, webhooks, leads, proxy):
    each.main()
    print()
