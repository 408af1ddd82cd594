"""Report in tables and text whether the importances of user data can be trusted."""
