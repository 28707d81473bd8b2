"""axes' own command, with an audit event."""

from axes.management.commands import axes_reset_ip

from console.commands import RecordedUnlock


class Command(RecordedUnlock, axes_reset_ip.Command):  # type: ignore[misc]
    pass
