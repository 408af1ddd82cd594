"""Whether importances of users' data can be trusted, in tables and in words."""
