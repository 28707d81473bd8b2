"""The database goes away under a known tenant: 503 at once, never "unknown", and nothing is minted that can't be recorded."""

import time

from sandbox.testing import Sandbox
from tests.database_proxy import running_proxy
from tests.platform_server import running_platform
from tests.sessions_api.cast import Shop, environment_for

# A poll that is on its way when the database goes may take a second, the next one half a second more.
UNTIL_NOTICED = 2.5
UNTIL_HEALED = 8.0


def test_sessions_are_refused_without_asking_openai_and_go_on_when_it_is_back(
    on_services: None, same_site: None, sandbox: Sandbox, shop: Shop
) -> None:
    with running_proxy() as proxy, running_platform(DATABASE_URL=proxy.url, **environment_for(sandbox)) as platform:
        assert shop.ask(platform).status == 200
        proxy.cut()
        time.sleep(UNTIL_NOTICED)
        minted = len(sandbox.creates())

        answers = [shop.ask(platform) for _ in range(5)]

        assert {(answer.status, answer.code) for answer in answers} == {(503, "platform_unavailable")}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        assert len(sandbox.creates()) == minted

        proxy.mend()
        until = time.monotonic() + UNTIL_HEALED
        while shop.ask(platform).status != 200:
            assert time.monotonic() < until, "sessions did not go on"
            time.sleep(0.2)
