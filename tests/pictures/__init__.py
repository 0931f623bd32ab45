"""`make pictures` takes the pictures of README and docs anew, from a demonstration of its own.

__main__  starts the demonstration and a browser, and keeps what they show
scenes    what each picture shows, and how a person gets there
age       whether the pictures are as old as what draws the pages
"""
