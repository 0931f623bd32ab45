# The only place: command line, admin, API schema and DICOM associations take the number from here.
__version__ = "0.9.0"
