"""The worklist's commands, and what they share.

client  what the two clients, `test_client` and `test_mpps`, share
tls     the options of TLS
"""
