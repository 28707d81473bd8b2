"""axes' own command, with an audit event."""

from axes.management.commands import axes_reset_username

from console.commands import RecordedUnlock


class Command(RecordedUnlock, axes_reset_username.Command):  # type: ignore[misc]
    pass
