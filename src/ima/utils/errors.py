"""The one error a user's input may raise."""


class InputError(ValueError):
    """Something a user gave is not what a stage needs.

    Args:
        where: the file, column or config key at fault.
        expected: what should have been there.
        found: what was there.
        do: what the user can do about it, as a sentence.
    """

    def __init__(self, where: object, *, expected: str, found: object, do: str = "") -> None:
        self.where, self.expected, self.found, self.do = where, expected, found, do
        message = f"{where}: expected {expected}, found {found}."
        super().__init__(f"{message} {do}".rstrip())

    def __reduce__(self):
        # Keyword-only arguments would not survive the trip back from a worker process.
        return _rebuild, (type(self), self.where, self.expected, self.found, self.do)


def _rebuild(kind, where, expected, found, do):
    return kind(where, expected=expected, found=found, do=do)
