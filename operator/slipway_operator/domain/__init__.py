"""What a revision is, what was observed, what is asked for. Pure values; knows no API client."""
