"""This is a stand-in Calpendo: real HTTP on loopback, bookings in memory, failures on demand.

It knows of Calpendo what the vendor's page says of its query API, and what one site's answers look like;
`Shape` and `Switches` have what is not known.

server    the server, and the switches of what nobody has written down
http      paths, credentials, and what goes wrong on the wire
grammar   an expression in a path, read as the vendor's page has it
bookings  bookings in memory, and what stands at their paths
shapes    a booking as an answer has it
original  the question that the original sent
"""
