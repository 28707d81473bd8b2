"""What every step of one ChatKit request works with; made by the views when the request is authorised."""

from dataclasses import dataclass, field

from chat_server.conversations import Owner
from chat_server.metering import RunAccount
from chat_server.serving.desk import ChatDesk
from chat_server.turns import Turn
from gateway.chat_tokens import ChatGrant
from tenants.agents import AgentSnapshot
from tenants.snapshot import AssistantSnapshot, TenantSnapshot


@dataclass(slots=True)
class ChatContext:
    """`agent` is the published version, or the one that a preview tries; `operation` the ChatKit request's type.

    `account` is set when a run was admitted, `turn` when it may write in the conversation. `new_thread` is the id that was drawn
    for a conversation that no row has yet.
    """

    desk: ChatDesk
    tenant: TenantSnapshot
    assistant: AssistantSnapshot
    agent: AgentSnapshot
    grant: ChatGrant
    operation: str
    request_id: str
    account: RunAccount | None = None
    new_thread: str = ""
    turn: Turn | None = None
    owner: Owner = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.owner = Owner(self.tenant.id, self.assistant.id, self.grant.visitor_ref, self.grant.issued_at)
