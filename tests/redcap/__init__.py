"""This is a stand-in REDCap server: real HTTP on loopback, projects in memory, failures on demand.

server      the server, and the switches of what REDCap's documentation leaves open
http        paths, methods, headers, and what goes wrong on the wire
answers     parameters, errors, and answers in JSON, CSV and XML
contents    each `content` that is exported
export      the API without HTTP: a form in, an answer out
imports     rows that are written by the API, or refused
rows        what stands in the rows of an export
selection   which rows and columns a request gets
logic       filterLogic, as far as clients use it
project     a project in memory
dictionary  its data dictionary
log         its clock and its log
failures    what comes instead of an answer
trigger     the Data Entry Trigger
studies     studies, each with its own shape
client      a plain client, which hides nothing
main        the server as a program
"""
