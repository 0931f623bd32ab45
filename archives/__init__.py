"""An archive holds the images: it is asked what arrived, and nothing is ever written into it.

words      what an archive is called in errors
contract   what an archive is asked, and what it answers, without Django
answers    an answer in the DICOM JSON Model as a study or a series, without Django
uid_lists  studies by lists of UIDs, and one by one where an archive knows no lists, without Django
lost_letters  a name as an archive answers it that cannot write all of it, without Django
asking     what the clients have in common, without Django
cfind      a client by C-FIND, without Django
dicomweb   a client by QIDO-RS, without Django
comparing  what was found against what was scheduled and reported, without Django
models     archives, when each item is to be asked for, and what was found
opening    the client of an archive's row
verifying  what is due, asked, kept and pointed out
trying     an archive tried by a person who sets it up
privacy    what is kept of one participant's studies, told and erased
retention  what grew old is deleted
api        archives and what they have shown, by REST
shown      what archives have shown, on the admin's pages
admin      archives in the Django admin
"""
