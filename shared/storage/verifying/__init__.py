"""Proving that what is stored of a tenant is as it must be, and putting right what follows from the rest."""
