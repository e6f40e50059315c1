"""What operators do by hand: commands over the same stores that the functions use."""
