"""This room writes the DICOM Conformance Statement, in Markdown, in the form of PS3.2 Annex N.

What the code decides is read from the code, and numbers from the settings in force.

document       the whole of it
outline        the sections of Annex N, and who writes each
introduction   cover, revisions, for whom, words
overview       what is offered, on a page
sequences      data flow and real-world activities, drawn
queries        Basic Worklist Management
performed      Modality Performed Procedure Step
associations   who is let in, and what is negotiated
archives       what archives are asked
failures       what is done where communication fails
configuration  what a site may set
devices        what it may set for each scanner
security       TLS, ports, profiles
annexes        IODs, private attributes, codes, attributes in two services
markdown       lists and tables
"""
