"""An installation is kept in one file, and made of it again.

making      the backup, while everything runs
restoring   the installation anew, from a backup
archive     the file: written whole or not at all, any damage noticed
manifest    what a backup says of itself, and why it may not fit here
sqlite      copies of SQLite files
postgresql  dumps of PostgreSQL, by its own programs
swapping    several files put in place together
keys        the keys that a backup may hold
stopping    an end before the end
errors      what is told to people
"""
