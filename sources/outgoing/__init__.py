"""What was scanned is put into the form that REDCap's fields take, without Django and without a database.

facts     what may be told of an examination
rules     a row of the outgoing mapping: which field holds which fact
forms     a fact as a field of its type and validation takes it
places    in which row of its record a session's field stands
check     all that is wrong with an outgoing mapping
deciding  whether a field is filled, agrees, or holds what somebody else has entered
"""
