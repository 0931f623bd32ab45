"""The worklist's commands share what is in this room.

client  what the two clients, `test_client` and `test_mpps`, share
tls     the options of TLS
"""
