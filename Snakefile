include: "workflow/Snakefile"


# An included workflow sets no default target of its own.
workflow.default_target = "all"
