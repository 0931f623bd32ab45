"""Calpendo's query API is asked here, without Django and without a database.

client      what is asked of a Calpendo
transport   what each GET carries, by `sources.http`
answers     what an answer means
address     the address of a Calpendo
query       expressions as a tree, written as Calpendo's grammar has them
questions   which bookings are asked for
literals    how a moment is written in a question
biskits     an answer's objects, whatever their shape
bookings    a booking as a row of the mapping
moments     a booking's times, in the site's own
states      which states of a booking are wanted, by a table of the site
resources   which scanner and modality a resource is, by a table of the site
dictionary  the paths that a booking has, as fields for the mapping
"""
