"""axes' own command, with an audit event."""

from axes.management.commands import axes_reset_ip_username

from console.commands import RecordedUnlock


class Command(RecordedUnlock, axes_reset_ip_username.Command):  # type: ignore[misc]
    pass
