"""REDCap's rows become what a worklist item should hold, without Django, a database or a network.

rules           a mapping, as a site wrote it down
targets         what a rule may fill
names           how a line of a mapping names a field
columns         what a name stands for in the dictionary and in a row
events          a project's events
sessions        where a record's sessions are
repeats         rows that a dictionary of some hours ago does not explain
conditions      what must hold for a session to be wanted
lookup          where the values of a session are looked for
alternatives    which of several fields gives a value
transforms      what is done to a value on its way
patterns        regular expressions, searched within a bound of time
templates       values put together from others
codes           tables of codes, and what labels say of sex and status
dates           dates and times as REDCap exports them
numbers         measures as people type them
wording         names and labels as words
texts           texts that people typed, made fit for DICOM
fitting         a text made the value of its target
mapped_project  a plan in its project, and what its rules made of texts, remembered for a pull
outcomes        what each rule gives for one session
evaluate        a record's rows to its sessions
naming          the rules of patient IDs, names and visits
same_ids        a record's sessions under one patient ID
readers         which rows and conditions read a column
problems        a value that cannot be used
check           all that is wrong with a plan
check_fields    fields that can never hold what their target needs
check_sessions  what is wrong with how it finds its sessions
check_patterns  patterns that some text keeps busy
identifying     identifying fields, and where they go
pseudonymous    what a pseudonymous source refuses
partial         what is right of a plan that has mistakes
field_search    fields found by what is typed of a name or label
suggest         a first mapping
suggestion      what a first mapping is made of: candidates for each target
"""
