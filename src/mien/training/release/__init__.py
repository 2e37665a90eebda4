"""From a finished run to a model that others can use: files, card and entry of the catalogue."""
