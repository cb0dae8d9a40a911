"""`make bench`: every benchmark, one after the other; ratios against references measured in the same run."""

from benchmarks import cold_start, proxy, webhooks

for each in (cold_start, webhooks, proxy):
    each.main()
    print()
