"""The sources' commands share what is in this room.

terminal  a question to the person who typed a command
"""
