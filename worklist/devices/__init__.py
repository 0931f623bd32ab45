"""A device's rules decide here who may associate and what is offered.

stored       a device's row, read anew each time
access       who may associate
offers       what a device is offered, by the rules of its row
silent       which scanners send no MPPS, and which items they perform
stations     what items call the scanners that there are
presets      what is known of vendors' scanners
retention    how long it is kept what devices did
from_config  the devices of the original's configuration file
"""
