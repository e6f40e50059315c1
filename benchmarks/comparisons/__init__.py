"""The comparisons, one a file; each gives sections of the results."""
