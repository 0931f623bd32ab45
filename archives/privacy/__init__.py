"""What is kept of one participant's studies in archives is found here, told, and erased.

rows     which rows are a participant's
telling  what is known of a participant, as rows for a file
erasing  all of it gone; the images stay where they are, for nothing is written into an archive
"""
