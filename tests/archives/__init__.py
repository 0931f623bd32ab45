"""Archives for tests: Orthanc, dcmqrscp, and a stand-in of our own that answers what it is told to."""
