"""A database that goes away, is busy or is full is met here, whichever of the two it is.

faults               what is wrong with it, told by its own error codes
row_checks           checks of stored rows say nothing where tables are of another version
fault_log            a fault is said once, and then counted
persistence          what must be written is tried until the database is back
turns                threads write to SQLite in turn
lock_waits           others' locks are waited for as long as a person waits
sessions             what was done stays done where its session cannot be written
patience             a server that hangs is waited for some seconds
shared_connections   threads share a few connections to PostgreSQL
postgresql           Django's backend for PostgreSQL, with these connections
"""
