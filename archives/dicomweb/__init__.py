"""An archive is asked by QIDO-RS (PS3.18 10.6), whose answers are in the DICOM JSON Model.

access     where an archive is, and who asks it
answering  a response as answers, or as the error that it stands for
client     studies and series, by the contract
"""
