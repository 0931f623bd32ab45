"""Appointments leave as a calendar to which other programs subscribe, by a private address.

addresses   the private addresses: made, kept as digests, found, revoked
events      which events a feed has, and how much of a participant they say
calendars   the calendar of events as text (RFC 5545)
time_zones  a time zone as a calendar tells it
"""
