"""Change the code that must not be wrong, one small thing at a time, and see whether a test notices."""
