"""REDCap's API is asked here, without Django and without a database.

client      what is asked of a project
transport   what each POST carries, by `sources.http`
answers     what an answer means
imports     what an answer to an import means
parsing     REDCap's JSON, read into dictionaries and rows
batches     whole records, a batch at a time
dictionary  the name by which a migration reads a kept dictionary
clock       the server's clock
address     the address of an API
"""
