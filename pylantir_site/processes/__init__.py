"""Pylantir's processes are started, watched and stopped here.

supervisor  runs them side by side, and restarts what dies
child       forks one of them
restarts    says when what died is started again
pulse       how a process shows that it lives
ports       whether a server may listen where it was told to
migrations  brings the databases up to date at a start
cores       how many processes serve DICOM
migrating   one of them at a time changes tables
web         how gunicorn is run
web_log     what it logs
web_worker  its worker, whose threads wait for no peer
web_requests  one HTTP request until it is whole
"""
