"""What a source says is brought into the worklist here.

claims       one pull of a source at a time, and when it is due
pulls        one pull from beginning to end
runs         what a pull has counted, kept
guards       what a pull may do too much of, and who lets it
rekeying     sessions whose key alone has changed
values       what a source says and what an item holds, made comparable
clashes      two records that say they are one patient
deciding     what is to be done about each session of a record
applying     one record in one transaction
withdrawing  what the source no longer has, behind its guard
outcomes     what follows from how a pull ended
issues       what a person must mend at the source
edits        what a person changed here, which stays
preview      the same without writing
health       how each source is doing
"""
