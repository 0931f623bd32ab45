"""From what a source says to the worklist.

claims       one pull of a source at a time, and when it is due
pulls        one pull from beginning to end
values       what a source says and what an item holds, made comparable
deciding     what is to be done about each session of a record
applying     one record in one transaction
withdrawing  what the source no longer has, behind its guard
issues       what a person must mend at the source
pins         what a person changed here, which stays
preview      the same without writing
retiring     what becomes of a source's items
"""
