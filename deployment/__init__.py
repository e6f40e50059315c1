"""Makes the package that is deployed; is never deployed itself."""
