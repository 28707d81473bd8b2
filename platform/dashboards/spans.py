"""The spans of time that figures are asked for: a name, a length, and the width of one bar."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Span:
    name: str
    label: str
    length: timedelta
    bucket: timedelta

    def buckets(self, now: datetime) -> list[datetime]:
        """Starts of the buckets, oldest first; the last one is still filling."""
        width = int(self.bucket.total_seconds())
        last = int(now.timestamp()) // width * width
        amount = int(self.length / self.bucket)
        return [datetime.fromtimestamp(last - width * back, tz=UTC) for back in reversed(range(amount))]


SPANS = {
    span.name: span
    for span in (
        Span("1h", "last hour", timedelta(hours=1), timedelta(minutes=5)),
        Span("24h", "last 24 hours", timedelta(hours=24), timedelta(hours=1)),
        Span("7d", "last 7 days", timedelta(days=7), timedelta(hours=6)),
        Span("30d", "last 30 days", timedelta(days=30), timedelta(days=1)),
    )
}
DEFAULT_SPAN = SPANS["24h"]
