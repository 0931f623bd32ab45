"""The worklist's commands share what is in this room.

bids_export  `export bids`: a folder or a .zip
client    what the two clients, `test_client` and `test_mpps`, share
tls       the options of TLS
progress  how far a command is, on stderr
"""
