"""The part of Microsoft Graph that look-ups use, over a file of people and groups."""
