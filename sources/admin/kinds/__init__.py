"""What is one kind's own in the admin stands in a module of that kind; the common pages ask `page_of`.

page         what a kind's module says of it: form, groups of fields, buttons, links, words
fieldsets    groups of fields that every kind has
secret_form  what forms share that take a token or a password
calpendo     a Calpendo
calpendo_form  its form: the password goes in and never comes out
redcap       a REDCap project
table        a CSV file or a workbook
table_form   its form: a file is read before anything is kept of it
table_columns  which column is what, beside the first rows
redcap_form  its form: the token goes in and never comes out
"""
