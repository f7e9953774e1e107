"""Who asks behind a proxy: whom a trusted one names, and nobody whom callers name themselves."""

import httpx
import pytest

from kullback.key_checks import key_book
from kullback.settings import Settings
from tests.access.service import bearer, issued
from tests.serving import serving


@pytest.mark.parametrize(("trusted", "status"), [("127.0.0.0/8, ::1", 401), ("192.0.2.0/24", 429)])
def test_wrong_keys_slow_whoever_sent_them(settings: Settings, trusted: str, status: int) -> None:
    with key_book(settings) as book:
        issued(book, "read")
    with (
        serving(
            KULLBACK_DATABASE_URL=settings.database_url, KULLBACK_TRUSTED_PROXIES=trusted
        ) as service,
        httpx.Client(base_url=service.address, headers=bearer("kb_no"), trust_env=False) as client,
    ):

        def wrong(address: str) -> int:
            headers = {"x-forwarded-for": address}
            return client.get("/v1/monitors", headers=headers).status_code

        assert {wrong("198.51.100.1") for _ in range(60)} == {401, 429}
        assert wrong("198.51.100.2") == status
