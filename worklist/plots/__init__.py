"""What plots show is counted here by the database; nothing of it names a participant.

outcomes  what became of examinations: by day, by scanner, by study
starts    when examinations began, against their schedule
"""
