"""Items, performed steps and series leave here as tables, whole or pseudonymous, in batches of columns.

To read: `selecting.rows(table, parameters)` gives the rows that are asked for, `reading.keys` which they are,
and `reading.batches(table, keys, telling)` what is told of them. `telling.Telling()` tells all as it is;
`Telling(KeyedPseudonyms.of_this_site())` tells a pseudonym where somebody could be known by a value.

columns        a column: its type, what it says, and what stands in its place in a pseudonymous export
tables         the columns of items, performed steps and series
selecting      the rows that parameters of the REST API ask for
reading        rows by their keys, in batches, a list for each column
pseudonyms     pseudonyms, UIDs and shifts of dates, made with the key of this site
telling        each column as it is told, whole or pseudonymous
formats        the formats of files, and a file as a stream
csv_files      a table as CSV
parquet_files  a table as Parquet, by a written schema
files          a file that is whole, or not there
"""
