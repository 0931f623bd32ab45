"""A whole site works at once for a long time, while things break: memory, descriptors and waits stay flat.

site      the server as `start` runs it, with a stand-in REDCap, in a folder of its own
actors    scanners, REDCap's people, a program that uses the API, a coordinator in the admin
faults    what breaks meanwhile, one after the other
samples   what the processes hold, and how long anybody waited
verdicts  what must have held at the end
drawing   all of it as one picture
"""
