"""Items come in, change and go through this room.

intake          the only way by which items come in and change
batches         the same for many items at once
cleaning        a value made fit for DICOM, or refused
typed_dates     dates as people type and read them
plain           new items of which nothing is doubtful, told of and saved at once
identifiers     what is made for an item whose writer gave none
fields          an item's fields, as exports name and order them
whose           whose a patient ID is, where a writer names another person under it
lifecycle       the one place where a status changes
arrivals        who has arrived, as a person says
moves           what a person moves, swaps or marks, and how that is undone
double_booking  what speaks against a time at a scanner, without forbidding it
file_import     what a worklist file does to the items, or would do
file_batches    the same for many files at once
known_steps     which item a file's step is, and what identifies one that lacks its ids
worklist_files  DICOM worklist files, read into the values of items
"""
