"""What the original kept in its worklist.db and users.db comes in here, once.

reading    a file of the original's, as rows of text
cells      what a cell means, and what is doubtful about it
options    what a person says about a file, which it does not tell itself
rows       what is to become of each row, and what contradicts another
remembered  which rows came in before
worklist   a row becomes an item, or keeps a Study Instance UID for a pull
people     a row becomes an account, with its password
importing  one run: rehearsed, or done
reports    what became of each row, or would
"""
