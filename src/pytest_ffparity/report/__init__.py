"""One report model; the writers take it and return text. Nothing here prints."""
