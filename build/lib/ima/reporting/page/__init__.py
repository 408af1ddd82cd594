"""The page of a run: its tables, maps, utterances and figures in one HTML file."""
