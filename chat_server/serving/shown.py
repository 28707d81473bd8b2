"""What the visitor has seen of an answer and the store has not: kept as it is when the answer breaks off."""

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    WorkflowItem,
)


class Shown:
    """Items that were begun and not ended, by id. A workflow changes in place; a message is put together here."""

    def __init__(self) -> None:
        self._begun: dict[str, AssistantMessageItem | WorkflowItem] = {}

    def note(self, event: ThreadStreamEvent) -> bool:
        """Say whether this event is words for the visitor."""
        if isinstance(event, ThreadItemAddedEvent):
            if isinstance(event.item, AssistantMessageItem):
                self._begun[event.item.id] = event.item.model_copy(deep=True)
            elif isinstance(event.item, WorkflowItem):
                self._begun[event.item.id] = event.item
        elif isinstance(event, ThreadItemUpdatedEvent):
            return self._update(event)
        elif isinstance(event, ThreadItemRemovedEvent):
            self._begun.pop(event.item_id, None)
        elif isinstance(event, ThreadItemDoneEvent | ThreadItemReplacedEvent):
            self._begun.pop(event.item.id, None)
            return not isinstance(event.item, WorkflowItem)
        return False

    def rest(self) -> list[ThreadStreamEvent]:
        """Events that end what was begun: with the words that are there, or not at all."""
        return [ThreadItemDoneEvent(item=item) for item in self._begun.values() if _has_words(item)]

    def _update(self, event: ThreadItemUpdatedEvent) -> bool:
        item, update = self._begun.get(event.item_id), event.update
        if not isinstance(item, AssistantMessageItem):
            return False
        match update:
            case AssistantMessageContentPartTextDelta():
                _part(item, update.content_index).text += update.delta
                return bool(update.delta)
            case AssistantMessageContentPartAdded() | AssistantMessageContentPartDone():
                _part(item, update.content_index)
                item.content[update.content_index] = update.content.model_copy(deep=True)
        return False


def _part(item: AssistantMessageItem, index: int) -> AssistantMessageContent:
    while len(item.content) <= index:
        item.content.append(AssistantMessageContent(text="", annotations=[]))
    return item.content[index]


def _has_words(item: AssistantMessageItem | WorkflowItem) -> bool:
    if isinstance(item, WorkflowItem):
        return bool(item.workflow.tasks)
    return any(part.text.strip() for part in item.content)
