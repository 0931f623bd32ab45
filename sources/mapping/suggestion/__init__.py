"""What a first mapping is made of is found here.

proposals  what is proposed for each target, and why
"""
