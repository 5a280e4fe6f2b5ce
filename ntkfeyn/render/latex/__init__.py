"""The appendix: a document and fragments that an author can put into a paper as they are."""
