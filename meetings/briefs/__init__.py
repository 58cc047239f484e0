"""Briefs of an incident: the state of a confidential channel for engineering, customer contact or public relations."""
