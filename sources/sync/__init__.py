"""What a source says is brought into the worklist here.

claims       one pull of a source at a time, and when it is due
pulls        one pull from beginning to end
since        from which moment on changes are asked for
runs         what a pull has counted, kept
guards       what a pull may do too much of, and who lets it
rekeying     sessions whose key alone has changed
values       what a source says and what an item holds, made comparable
known        what the worklist knows of a batch of records, read at once
left_out     records of erased participants
clashes      two records that say they are one patient
occurrences  rows that are used again after an examination
deciding     what is to be done about each session of a record
applying     records brought in: what is only made many at once, all else one by one
renames      records that were renamed keep their steps
identifying  identifying fields, which an administrator agrees to
holding      what waits until a pull has read all
originals    appointments that the original had already
withdrawing  what the source no longer has, behind its guard
interruptions  pulls that were cut off, and sources that are set aside
outcomes     what follows from how a pull ended
punctual     when the next pull is due, so that an interval is what it says
issues       what a person must mend at the source
edits        what a person changed here, which stays
edited_marks  which items were edited, marked for lists
outbox       outcomes that are to be written back, noted as they change
preview      the same without writing
health       how each source is doing
"""
