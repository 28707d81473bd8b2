"""axes' own command, with an audit event."""

from axes.management.commands import axes_reset

from console.commands import RecordedUnlock


class Command(RecordedUnlock, axes_reset.Command):  # type: ignore[misc]
    pass
