"""Outcomes are written back to where their appointments came from, by the worker alone.

outcomes  what scanners and people have said of an item
digests   what we have sent, known again without being kept
planning  what a session would get, field by field, and what hinders it
sending   what is due: read, decided, sent, read again
state     who writes, and when it is tried again
people    what a person decides: write ours, or leave theirs
preview   what would be written, for the screen alone
waiting   what could not be written, by source and outcome
"""
