"""Participants and their sessions leave as BIDS has them (Brain Imaging Data Structure), without images.

labels      what names a participant and a session: ASCII letters and digits, one spelling each
columns     the columns of participants.tsv and sessions.tsv, as their JSON files describe them
dataset     participants and sessions as the texts of a data set's files
visits      appointments brought together into sessions, and sessions into participants
gathering   the appointments of participants, read from items and performed steps
making      a data set of the items that are asked for, whole or pseudonymous
folder      a data set written: a folder that is whole or not there, or a .zip
"""
