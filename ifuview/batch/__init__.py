"""A whole night as dask tasks, one per camera and exposure: on the cores of this machine or on a running scheduler.

`tasks` finds what is to be done and what is done already, `work` does one task in a worker, `cluster` is all that
knows dask, `night` puts the results together, `main` has words.
"""
