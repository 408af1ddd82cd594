"""Tables, figures, claims, cards and pages."""
