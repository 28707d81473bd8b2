"""The day on which tests of origins take place, whatever the machine's clock says."""

from datetime import UTC, date, datetime

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
