"""What a first mapping is made of is found here: each target's candidates, by a project's dictionary.

words        what names and labels say, in four languages
described    a field with all that is said of it, and whom it is about
units        a weight's unit
scoring      how plainly a field is what is sought
proposals    what is proposed for each target, and why
making       candidates made of fields, which pass `check`
person       ID, name, birth date, sex and weight
appointment  date, time and status
scanner      station, protocol and who takes part
"""
