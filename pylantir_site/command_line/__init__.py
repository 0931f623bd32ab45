"""`pylantir …` and `manage.py …` begin here.

main       from what was typed to the exit code
arguments  what was typed: the configuration file, the command, its options
utility    what each command of ours and of Django's is given beside its own
tables     whether a command's databases are there and up to date
listing    which commands there are
__main__   the same for `python -m pylantir_site.command_line`
"""
