"""`make messages` brings the catalogues of the admin's texts in step with the code.

__main__  writes the catalogues, .po for people and .mo for the server
texts     every text that code and templates mark, by where it stands
unmarked  texts for people that are not marked
"""
