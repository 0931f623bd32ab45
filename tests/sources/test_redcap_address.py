"""People type REDCap's address in many ways, and no token may go to some addresses."""

from __future__ import annotations

import pytest

from pylantir_site.outside.addresses import is_never_asked
from sources.errors import ConfigurationError
from sources.http.address import leads_where_nobody_asks
from sources.redcap.address import normalise_url
from sources.redcap.client import Access, Client

API = "https://redcap.example.org/redcap/api/"


@pytest.mark.acceptance("RC1")
@pytest.mark.parametrize(
    ("given", "url"),
    [
        (API, API),
        ("https://redcap.example.org/redcap/api", API),
        ("https://redcap.example.org/redcap/", API),
        (" https://redcap.example.org/redcap \n", API),
        ("HTTPS://REDCap.Example.org/redcap/api//", API),
        ("https://redcap.example.org/redcap/index.php", API),
        ("https://redcap.example.org/redcap/api/help/", API),
        ("https://redcap.example.org/redcap/redcap_v14.5.5/", API),
        ("https://redcap.example.org/redcap/redcap_v14.5.5/API/project_api.php", API),
        ("https://redcap.example.org:8443", "https://redcap.example.org:8443/api/"),
        ("https://redcap.example.org/REDCap/", "https://redcap.example.org/REDCap/api/"),
        ("http://127.0.0.1:9000/redcap/api/", "http://127.0.0.1:9000/redcap/api/"),
        ("http://localhost/", "http://localhost/api/"),
        ("http://[::1]:9000", "http://[::1]:9000/api/"),
        ("https://10.1.2.3/api/", "https://10.1.2.3/api/"),
    ],
)
def test_the_url_is_made_what_redcap_wants(given: str, url: str) -> None:
    assert normalise_url(given) == url
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "must be a URL"),
        ("redcap.example.org", "must be a URL"),
        ("https://", "must be a URL"),
        ("https:///api/", "must be a URL"),
        ("ftp://redcap.example.org/api/", "must be a URL"),
        ("file:///etc/passwd", "must be a URL"),
        ("https://redcap.example.org:99999/api/", "must be a URL"),
        ("https://[::1/api/", "must be a URL"),
        ("https://redcap example.org/api/", "must be a URL"),
        ("https://redcap.example.org\\@other.example.org/api/", "must be a URL"),
        ("http://redcap.example.org/api/", "in clear"),
        ("http://127.0.0.1.example.org/api/", "in clear"),
        ("https://anna:secret@redcap.example.org/api/", "password"),
        ("https://redcap.example.org/api/?pid=1", "without"),
        ("https://redcap.example.org/api/#top", "without"),
        ("https://169.254.169.254/api/", "link"),
        ("https://[fe80::1]/api/", "link"),
        ("https://[fe80::1%25eth0]/api/", "link"),
        ("https://[::ffff:169.254.169.254]/api/", "link"),
    ],
)
def test_what_cannot_be_the_url_is_refused_in_a_sentence(given: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        normalise_url(given)

    assert str(raised.value).endswith(".")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("169.254.0.1", True),
        ("169.255.0.1", False),
        ("fe80::1%eth0", True),
        ("febf::1", True),
        ("fec0::1", False),
        ("::ffff:169.254.1.1", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("redcap.example.org", False),
    ],
)
def test_addresses_of_a_link_are_known(address: str, expected: bool) -> None:
    assert is_never_asked(address) is expected


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376"])
def test_another_spelling_of_such_an_address_gets_no_token(host: str) -> None:
    url = f"https://{host}/api/"
    with pytest.raises(ValueError, match="link"):
        normalise_url(url)
    assert leads_where_nobody_asks(url)

    with Client(Access(url, "F" * 32)) as client, pytest.raises(ConfigurationError, match="link"):
        client.version()
    assert client.requests == 0
