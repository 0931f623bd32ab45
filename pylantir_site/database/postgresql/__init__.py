"""Django's backend for PostgreSQL, for a process of many threads.

base   the module in which Django looks for it
"""
