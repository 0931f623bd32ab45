"""`make demo` runs the product on its own database, beside a stand-in REDCap, on an eventful day.

__main__        from an empty folder to a server that runs
day             when what happens, around the hour at which it starts
growing_brains  a study of children who are scanned today
other_studies   one study whose pull is held, and one that is not mapped yet
sports_medicine  a spreadsheet that books the second scanner
scanner         two scanners ask, and one reports what it does
archive         a small archive takes the images, and is asked for them
"""
