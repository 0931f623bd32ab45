"""What an archive answered is compared here with what was scheduled and reported, without Django.

belonging   which study is whose session
series      which series that were reported are not there
"""
