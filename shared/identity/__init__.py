"""Who is calling: tokens, keys, directories and the identity hooks."""
