"""CSV files and workbooks become the rows and the dictionary of a source, without Django.

layout       how a table is to be read, as a site wrote it down
bounds       how large a table may be
content      where a file comes from
reading      a file becomes a table, or is refused with what to do
refused      files of other kinds, refused by name
grids        a file of either kind as rows of cells
decoding     bytes as text
delimited    rows of a text
archives     the parts of a workbook, bounded before they are unpacked
workbooks    a workbook's sheets and styles
sheets       a sheet's cells
shown        numbers, and what their formats show
serials      dates and times that are numbers
typed_dates  dates that were typed as text
cells        what one cell holds: a text, or why it cannot be used
headers      columns by the names that a mapping calls them
keys         whose a row is, and which session
values       a row's values by column
own_export   our own export, read back
described    what a column's values show of it, for a suggestion
errors       a file that cannot be read
emptying     a file without some of its rows, as an erasure leaves it
"""
