"""One participant is exported or erased here from all that any app keeps, at once or after a time.

participants  who has a patient ID, over all apps
register      what each table holds of participants
models        what was erased when, by whom and why, and nobody's name
accounts      what sessions and the trails of accounts keep
erasing       erasing and rehearsing it, in a transaction of each database
purging       what SQLite's files still hold of rows that are gone
choosing      which participant a command means
exporting     all that is known of a participant, as a file
retention     participants whose last day is long past
admin         erasures in the Django admin
forms         what an administrator says there
pages         the page that exports and erases
"""
