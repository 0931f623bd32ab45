"""Pylantir's processes are started and stopped here.

supervisor  runs them side by side
ports       whether a server may listen where it was told to
cores       how many processes serve DICOM
web         how gunicorn is run
"""
