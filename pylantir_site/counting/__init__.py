"""What happens is counted in memory, and the counts of all processes are added up in the database.

So no process leaves files behind, whatever kills it, counts go on over a restart, and whichever web server is
asked knows those of every host.

measures      what is counted, with its labels
background    the thread of a process that serves no scanner
certificates  when certificates in a file end
tallies       what one process has counted and not yet kept
keeping       counts are added to those in the database, readings replace what the process said before
"""
