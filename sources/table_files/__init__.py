"""A table's file is found and read whole, or left alone, before anything looks into it.

names   which names may be asked for, and which are of files that are still being written
folder  the file below SOURCE_TABLES_FOLDER that is meant: by its name, or the newest of a pattern
steady  a file's content, as long as nobody writes it meanwhile
"""
