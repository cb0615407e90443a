"""What could not be decoded, or is odd, told to the user."""

from dataclasses import dataclass, field

from contracts.messages import message


@dataclass
class Damage:
    """What could not be decoded of a stream, and what else was odd about it."""

    packets: int = 0
    cut: bool = False  # the file ended before its streams did
    notes: list[str] = field(default_factory=list)  # whole sentences

    def note(self, text: str) -> None:
        """Keep a warning, once."""
        if text not in self.notes:
            self.notes.append(text)

    def describe(self, stream: str) -> list[str]:
        """Warnings for the user, with the stream's name; none without damage."""
        warnings = []
        if self.packets:
            warnings.append(message(f"{self.packets} damaged packets of {stream} left out"))
        if self.cut:
            warnings.append(message(f"{stream} breaks off early"))
        return [*warnings, *self.notes]
