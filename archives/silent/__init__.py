"""Of scanners that send no MPPS an archive shows what was performed: a study that is there and grows no more.

evidence    whether a study shows that an item was performed, or what speaks against it
due         for which items an archive is to be asked, since no report says that they ended
completing  items completed by that evidence
awaited     of which items it is not known yet that nothing was performed, and what archives said of them
"""
