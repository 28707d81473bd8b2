"""Asks a probe address and exits 0 when it answers 200: the image has no curl. `python -m config.probe URL`"""

import sys
import urllib.parse
import urllib.request


def answers(url: str) -> bool:
    # The probe arrives as the proxy would send it: by TLS, under a name that the platform answers to.
    host = urllib.parse.urlsplit(_platform_url()).hostname or "127.0.0.1"
    request = urllib.request.Request(url, headers={"Host": host, "X-Forwarded-Proto": "https"})  # noqa: S310  (an address of our own compose file)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=4) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _platform_url() -> str:
    from config.settings.environment import env

    return str(env.str("PLATFORM_URL", default="http://127.0.0.1:8000"))


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
