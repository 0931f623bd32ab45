"""Each kind of source that ships has its backend here, by the contract in `sources.contract`.

mapped    what backends share that read through a mapping, by a dictionary
asking    what backends share that ask a server
redcap    a REDCap project
table     a CSV file or a workbook
calpendo  a Calpendo's bookings, experimental
"""

from sources.kinds import kinds

__all__ = ["kinds"]  # landed migrations name it here
