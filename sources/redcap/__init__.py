"""REDCap's API is asked here, without Django and without a database.

client      what is asked of a project
transport   POSTs, time-outs, retries
limiter     how often a host is asked
answers     what an answer means
parsing     REDCap's JSON, read into dictionaries and rows
batches     whole records, a batch at a time
dictionary  what a project is made of
rows        a row of an export
markup      labels without their HTML
clock       the server's clock
address     the address of an API
"""
