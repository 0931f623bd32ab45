"""REDCap's rows become what a worklist item should hold, without Django, a database or a network.

rules           a mapping, as a site wrote it down
targets         what a rule may fill
columns         what a name stands for in the dictionary and in a row
events          a project's events
sessions        where a record's sessions are
conditions      what must hold for a session to be wanted
lookup          where the values of a session are looked for
transforms      what is done to a value on its way
templates       values put together from others
codes           tables of codes, and what labels say of sex and status
dates           dates and times as REDCap exports them
numbers         measures as people type them
texts           texts that people typed, made fit for DICOM
fitting         a text made the value of its target
outcomes        what each rule gives for one session
evaluate        a record's rows to its sessions
readers         which rows and conditions read a column
problems        a value that cannot be used
check           all that is wrong with a plan
check_sessions  what is wrong with how it finds its sessions
suggest         a first mapping
"""
