"""This room knows DICOM itself, and neither Django nor a database.

item_attributes   the attributes of an item, and where each is kept (PS3.4 K.6.1.2.2)
mpps_attributes   the attributes of a performed step (PS3.4 F.7.2)
representations   the rules of value representations (PS3.5 6.2)
values            what an item's fields are in DICOM
extra             attributes beside an item's fields, by keyword
person_name       names as they are compared
patient_id        patient IDs as tools fold them
name_parts        names in their parts, and as people read them
modalities        the terms of modalities, and usual slips
folding           names and IDs as they are searched for
moments           dates, times and their ranges in keys
conditions        what an item must be to match
request_keys      what a query's identifier asks for
matching          a query's keys as conditions
encoding          answers, compiled to a plan
answer_json       answers in the DICOM JSON Model, read and written
answer_elements   the elements of an answer
elements          data elements as bytes
character_sets    texts in the character sets of answers
code_elements     what escape sequences designate (PS3.3 C.12.1.1.2)
code_extensions   texts with escape sequences, written and read
decoding          texts of files, queries and reports, and what is doubtful in them
output_rules      how answers to one device differ from what is stored
datasets          a request's data set, from its bytes
bounds            what decoding a data set would cost, by its bytes
reading           the data sets of files
json_model        a scanner's data set in the DICOM JSON Model
report_reading    a scanner's data set in that model straight from its bytes
neighbours        references to images that are alike, read many at once
image_references  thousands of references to images, packed
mpps              what a performed step may become
performed         what a stored performed step says
repetition        whether an attribute that is sent again says anything else
printable         texts of a peer, made safe to show
retrieval         the answer to an N-GET
json_encoding     the DICOM JSON Model as the bytes of a data set
native_xml        the same model as XML, written and read (PS3.19 A.1)
study_root        the keys that archives are asked for
"""
