"""Items come in, change and go through this room.

intake          the only way by which items come in and change
batches         the same for many items at once
cleaning        a value made fit for DICOM, or refused
typed_dates     dates as people type and read them
identifiers     what is made for an item whose writer gave none
fields          an item's fields, as exports name and order them
whose           whose a patient ID is, where a writer names another person under it
lifecycle       the one place where a status changes
file_import     what a worklist file does to the items, or would do
known_steps     which item a file's step is, and what identifies one that lacks its ids
worklist_files  DICOM worklist files, read into the values of items
"""
