"""HTTP: requests in, decisions asked, answers and problems out; the only place but `functions/` that knows of it."""
