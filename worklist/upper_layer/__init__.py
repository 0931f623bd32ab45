"""An association is accepted and messages are exchanged on it (PS3.8 and PS3.7); nothing here knows an item.

state_table  what an acceptor does about each event, as Table 9-10 of PS3.8 has it
proxy_protocol  what a TCP balancer says first: whose connection it passes on
pdus         PDUs from a stream of bytes, and those that are sent
negotiation  an association request, read with the standard's tolerance and answered
commands     command sets from bytes and to bytes
messages     messages from the PDVs of P-DATA, and their packing into it
budget       the memory that unfinished messages may take
transport    one connection, which never waits beyond a deadline
acceptor     the acceptor's side of one association
"""
