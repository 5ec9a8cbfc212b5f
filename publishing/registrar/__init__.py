"""Talking to a DOI registrar, and the local test registrar that answers as DataCite does."""
