"""Pages ask for their configuration far more often than visitors open a chat."""

from sandbox.testing import Sandbox
from tenants.models import Assistant
from tests.platform_server import Platform, running_platform
from tests.sessions_api.cast import Shop, environment_for


def views(platform: Platform, shop: Shop, amount: int) -> list[int]:
    path, headers = f"/api/v1/tenants/{shop.public_id}/widget/", {"Origin": shop.origin}
    return [platform.request("GET", path, headers=headers).status for _ in range(amount)]


def test_many_page_views_of_an_office_do_not_use_up_its_sessions(same_site: None, sandbox: Sandbox, shop: Shop) -> None:
    environment = {**environment_for(sandbox), "TRUSTED_PROXY_COUNT": "0", "SESSIONS_PER_MINUTE_ADDRESS": "2"}
    with running_platform(**environment) as platform:
        seen = views(platform, shop, 60)
        granted = [shop.ask(platform).status for _ in range(4)]
        flood = views(platform, shop, 60)

    assert set(seen) == {200}
    assert granted == [200, 200, 429, 429]
    assert 429 in flood


def test_a_defect_is_told_to_the_page_in_the_one_shape_and_recorded(platform: Platform, shop: Shop) -> None:
    Assistant.objects.filter(pk=shop.assistant.pk).update(prompts=[{"neither": "label nor prompt"}])
    platform.wait_for_configuration()

    answer = platform.request("GET", f"/api/v1/tenants/{shop.public_id}/widget/", headers={"Origin": shop.origin})

    assert answer.code == "internal_error"
    assert answer.headers["access-control-allow-origin"] == shop.origin
    assert answer.headers["vary"] == "Origin"
