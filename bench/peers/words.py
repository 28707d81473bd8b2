"""What both contestants of the bench of chats tell the model."""

from typing import Final

MODEL: Final = "gpt-sandbox"
INSTRUCTIONS: Final = "You are a helpful assistant of a bicycle shop."
