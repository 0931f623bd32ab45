"""A day of the worklist stands here as people look at it; who shows it, prints it or mails it asks here.

lanes      the day's bookings, in a lane for each scanner
week       seven days at a glance
readiness  how far a day is prepared and done, as counts and in words
ages       how old somebody is on a day, in words
questions  when the scanners asked last
marks      what needs attention of the day's bookings
"""
