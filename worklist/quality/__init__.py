"""Scanners are checked with phantoms by the site's rules.

slots      the days and moments of a weekly rule, by the clock of the site
planning   a rule's items of the week ahead: made once, moved with the rule, taken back
on_demand  a QA scan that somebody asks for now
missed     what nobody scanned, once a later one stands
"""
