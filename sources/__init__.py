"""Participants come from sources, and this app keeps the worklist in step with them.

contract    what the engine asks of any kind of source, and what it gets
dictionary  what a source's data are made of, whatever its kind
rows        a row of a source's data, its keys apart from its values
kinds       the kinds there are
errors      how a source fails
leases      who holds a row, and when nobody does any more
secrets     tokens at rest
host        what of this machine a source may name
schedule    when the worker does what
tasks       what the worker does
queue       what waits for it
triggers    a source's own word that a record changed
retention   how long runs and issues are kept
views       the address that triggers call
validators  what a source's fields may be
"""
