"""An archive is asked by C-FIND in the study root model (PS3.4 C.4.1 and C.6.2), by pynetdicom.

access       where an archive is, and who asks it
tls          the context of a connection by TLS
statuses     statuses and rejections as errors for people
connection   one association, and one question at a time on it
client       studies and series, by the contract
"""
