"""Invitation mail: what it says, and handing it to the mail service."""
