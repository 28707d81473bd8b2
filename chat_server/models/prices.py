"""What a model's tokens cost, by date."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

_NOT_NEGATIVE = [MinValueValidator(Decimal(0))]


class ModelPrice(models.Model):
    """US dollars for a million tokens, from a day on until a later row of the same model."""

    model = models.CharField(max_length=100, help_text="As the version of the assistant names it.")
    valid_from = models.DateField(help_text="UTC. Runs of earlier days keep the price of theirs.")
    input_per_million = models.DecimalField(max_digits=10, decimal_places=4, validators=_NOT_NEGATIVE)
    cached_input_per_million = models.DecimalField(max_digits=10, decimal_places=4, validators=_NOT_NEGATIVE)
    output_per_million = models.DecimalField(max_digits=10, decimal_places=4, validators=_NOT_NEGATIVE)

    class Meta:
        ordering = ["model", "-valid_from"]
        verbose_name = "price of a model"
        verbose_name_plural = "prices of models"
        constraints = [models.UniqueConstraint(fields=["model", "valid_from"], name="one_price_a_day")]

    def __str__(self) -> str:
        return f"{self.model} from {self.valid_from}"
