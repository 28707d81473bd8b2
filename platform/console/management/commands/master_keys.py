"""`manage.py master_keys status|rewrap|verify`: which rows stand under which master key, and moving them to the primary one."""

import json
import time
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.record import SYSTEM
from console.master_keys import rewrap_now
from encryption.providers import master_ring
from encryption.rotation import BATCH, Failure, Progress, verify_rows
from encryption.standing import Standing, rows_to_rewrap, standing


class Command(BaseCommand):
    help = "Shows under which master keys the vault's rows stand, moves them to the primary one, or opens them all."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        status = deeds.add_parser("status", help="Rows by master key and column; exit code 1 where a key is missing.")
        status.add_argument("--json", action="store_true", dest="as_json")
        rewrap = deeds.add_parser(
            "rewrap",
            help="Moves every row under the first key of MASTER_KEYS. Exit code 1 where rows could not be opened or are left. "
            "May be stopped, begun again, and run twice at once.",
        )
        rewrap.add_argument("--batch", type=int, default=BATCH, metavar="ROWS", help=f"rows at a time ({BATCH})")
        rewrap.add_argument("--pause", type=float, default=0.0, metavar="SECONDS", help="sleep after each batch")
        rewrap.add_argument(
            "--check",
            action="store_true",
            help="Change nothing; exit code 1 while a row stands under another key than the first. Before a key is removed.",
        )
        deeds.add_parser("verify", help="Opens every sealed row; exit code 1 where one does not open.")

    def handle(self, *, deed: str, **given: Any) -> None:
        try:
            master_ring()
        except ImproperlyConfigured as problem:
            raise CommandError(str(problem)) from None
        fits = {"status": self._status, "rewrap": self._rewrap, "verify": self._verify}[deed](given)
        if not fits:
            raise SystemExit(1)

    def _status(self, given: dict[str, Any]) -> bool:
        now = standing()
        self.stdout.write(json.dumps(_as_json(now), indent=1) if given["as_json"] else "\n".join(_table(now)))
        return not now.missing

    def _rewrap(self, given: dict[str, Any]) -> bool:
        if given["batch"] < 1 or given["pause"] < 0:
            raise CommandError("--batch is at least 1, --pause at least 0.")
        if given["check"]:
            return self._say_how_it_stands(standing())
        total, began = rows_to_rewrap(), time.monotonic()

        def tell(progress: Progress) -> None:
            rate = progress.rewrapped / max(time.monotonic() - began, 0.001)
            self.stdout.write(f"{_bar(progress.rewrapped, total)}  {rate:.0f} rows/s")

        progress, after = rewrap_now(actor=SYSTEM, batch=given["batch"], pause=given["pause"], tell=tell)
        self._name(list(progress.failures.values()))
        self.stdout.write(f"{progress.rewrapped} rows moved to “{after.primary_id}”.")
        return self._say_how_it_stands(after)

    def _verify(self, given: dict[str, Any]) -> bool:
        opened, failures = verify_rows()
        self._name(failures)
        self.stdout.write(f"{opened} rows open, {len(failures)} do not.")
        return not failures

    def _name(self, failures: list[Failure]) -> None:
        for failure in failures:
            self.stderr.write(f"Can't be opened: {failure}")

    def _say_how_it_stands(self, now: Standing) -> bool:
        for cure in now.cures():
            self.stderr.write(cure)
        if now.is_complete:
            self.stdout.write(f"Every row stands under “{now.primary_id}”.")
        else:
            self.stderr.write(
                f"{now.left} rows stand under another key than “{now.primary_id}”. Leave all keys in MASTER_KEYS, "
                "and run `manage.py master_keys rewrap` (again)."
            )
        return now.is_complete


def _bar(done: int, total: int) -> str:
    share = min(1.0, done / total) if total else 1.0
    return f"[{'#' * int(20 * share):<20}] {done} of {total}"


def _state(now: Standing, key_id: str) -> str:
    if key_id not in now.ring:
        return "MISSING"
    return "primary" if key_id == now.primary_id else "not in use" if key_id in now.removable else "in use"


def _age(now: Standing, key_id: str) -> str:
    seen = now.first_seen.get(key_id)
    return f"{(timezone.now() - seen).days} days" if seen else "unknown"


def _table(now: Standing) -> list[str]:
    lines = [("key", "state", "seen for", "rows", "column")]
    for key_id in (*now.ring, *now.missing):
        name, state, age = key_id or "(no token)", _state(now, key_id), _age(now, key_id)
        lines.append((name, state, age, str(now.count(key_id)), "(all)"))
        lines += [("", "", "", str(rows.count), rows.column) for rows in now.rows if rows.key_id == key_id]
    widths = [max(len(line[place]) for line in lines) for place in range(5)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return [*table, *now.cures()]


def _as_json(now: Standing) -> dict[str, Any]:
    return {
        "primary": now.primary_id,
        "keys": [
            {
                "id": key_id,
                "state": _state(now, key_id).lower(),
                "first_seen_at": seen.isoformat() if (seen := now.first_seen.get(key_id)) else None,
                "rows": now.count(key_id),
                "columns": {rows.column: rows.count for rows in now.rows if rows.key_id == key_id},
            }
            for key_id in (*now.ring, *now.missing)
        ],
        "left": now.left,
        "complete": now.is_complete,
        "cures": now.cures(),
    }
