"""The worker is a process that does tasks one after the other: django-q2's own parts, in one process.

process   its life: begun by the supervisor, ended by a stop
queues    from django-q2's broker to its worker, and from there to its results
life      what it says of itself while it works
"""
