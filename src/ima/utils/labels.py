"""Labels of models in tables, by which results tell IMA from other models."""

#: Label of the variant with the paper's objectives, whose rows have the paper's values.
PAPER = "IMA (paper)"


def is_ima(label: str) -> bool:
    """Return whether a label is that of a variant of IMA: its first word is IMA or IMA+."""
    return label.partition(" ")[0].rstrip("+") == "IMA"
