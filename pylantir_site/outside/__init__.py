"""What comes from outside, or is asked there, has bounds, which are kept here for every door and client.

strict_json   JSON that says each thing once, in numbers and depths that can be kept
addresses     addresses that no client of ours asks
connecting    connections to the very addresses that were looked at
spreadsheets  texts that no spreadsheet may run, and what they were
answers       what a server answers, read within bytes and time before and after inflating
"""
