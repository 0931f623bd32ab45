"""What sources keep of one participant is found here, told, and erased.

records  which records are a participant's, and what is kept of them
erasing  all of it gone, and the records left out of pulls
table_rows  rows of uploaded tables, told or taken out
telling  what is known of a participant, as rows for a file
"""
