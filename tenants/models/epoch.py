"""The configuration epoch: one number, raised in the transaction of every change that sessions depend on.

Each process polls it (gateway/snapshots.py), so a change is effective everywhere within two seconds. Models whose rows a session
depends on inherit `ObservedModel`: saving, deleting and every bulk operation raise the number, so that no caller can forget to.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar, Final, TypeVar

from django.db import models, transaction
from django.db.models import F

# So long after a change some process may still go by what was before it.
SEEN_WITHIN: Final = timedelta(seconds=2)


class ConfigEpoch(models.Model):
    """A single row, id 1, made after each migrate (tenants/apps.py)."""

    number = models.PositiveBigIntegerField(default=1)

    class Meta:
        verbose_name = "configuration epoch"

    @classmethod
    def current(cls) -> int:
        return int(cls.objects.values_list("number", flat=True).get(pk=1))

    @classmethod
    def bump(cls) -> None:
        cls.objects.filter(pk=1).update(number=F("number") + 1)

    @classmethod
    def lock(cls) -> None:
        """Keeps other changes out until the end of the transaction, and announces nothing (audit/record.py has the order)."""
        cls.objects.select_for_update(no_key=True).get(pk=1)


M = TypeVar("M", bound=models.Model)


class ObservedQuerySet(models.QuerySet[M]):
    """Raises the epoch with every write that goes round `save()`."""

    def lock(self, pk: Any) -> M:
        """The row as it is now, for a change that begins by looking at it; in a transaction. Raises DoesNotExist.

        The epoch before the row (audit/record.py has the order). `no_key`: a session that is written meanwhile names this row
        in a foreign key, and must not wait for us.
        """
        ConfigEpoch.bump()
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)

    def update(self, **kwargs: Any) -> int:
        if set(kwargs) <= getattr(self.model, "unobserved", frozenset()):
            return super().update(**kwargs)
        with transaction.atomic(using=self.db):
            ConfigEpoch.bump()
            return super().update(**kwargs)

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        with transaction.atomic(using=self.db):
            ConfigEpoch.bump()
            return super().bulk_create(objs, *args, **kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.db):
            ConfigEpoch.bump()
            return super().delete()


ObservedManager = models.Manager.from_queryset(ObservedQuerySet)


class ObservedModel(models.Model):
    """A row that sessions depend on. `unobserved` names fields that they don't: writing only those leaves the epoch alone."""

    unobserved: ClassVar[frozenset[str]] = frozenset()

    objects = ObservedManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        if fields is not None and set(fields) <= self.unobserved:
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            ConfigEpoch.bump()
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            ConfigEpoch.bump()
            return super().delete(*args, **kwargs)
