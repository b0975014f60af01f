"""Run the local SES by itself: `python -m local.ses --identity bookshop.example --configuration-set news`."""

import argparse
import errno
import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

from local.ses.configuration import StoredConfiguration
from local.ses.records import EVENT_BODIES
from local.ses.server import create_server
from local.ses.simulator import LocalSes
from local.ses.smtp import SmtpPorts, running_smtp

HTTP_PORT, SMTP_PORTS = 8025, SmtpPorts(2587, 2465)


def main() -> None:
    arguments = _parse_arguments()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    ports = SmtpPorts(arguments.smtp_port, arguments.smtps_port)
    ses = LocalSes(arguments.emulator)
    with (
        running_ses(ses, arguments.identity, arguments.configuration_set, arguments.port, arguments.emulator),
        running_smtp(ses, ports),
    ):
        print(f"APIs v1 and v2: AWS_ENDPOINT_URL_SES={ses.url} AWS_ENDPOINT_URL_SESV2={ses.url}")
        print(f"SMTP: 127.0.0.1:{ports.starttls} with STARTTLS, 127.0.0.1:{ports.implicit_tls} with TLS")
        print(f"Delivered messages: {ses.url}/messages  records of events: {ses.url}/events", flush=True)
        stop.wait()


@contextmanager
def running_ses(
    ses: LocalSes,
    identities: list[str],
    configuration_sets: list[str],
    port: int = 0,
    emulator: str | None = None,
) -> Generator[LocalSes]:
    """Serve the APIs on a port of loopback, any if 0. Without an emulator, the local SES gets these identities and
    configuration sets; the sets publish every event type, to `/events`."""
    if isinstance(ses.configuration, StoredConfiguration):
        types = [name.upper().replace(" ", "_").replace("DELIVERYDELAY", "DELIVERY_DELAY") for name in EVENT_BODIES]
        for name in identities:
            ses.configuration.verify(name)
        for name in configuration_sets:
            ses.configuration.sets[name] = [{"Name": "records", "Enabled": True, "MatchingEventTypes": types}]
    server = create_server(ses, emulator, port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield ses
    finally:
        ses.close()
        server.shutdown()
        server.server_close()


def _port(text: str) -> int:
    """Parse the number of a port that nothing listens on yet."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: after a restart it is free
        try:
            trial.bind(("127.0.0.1", int(text)))
        except OSError as error:
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"is not available ({error.strerror})"
            raise argparse.ArgumentTypeError(f"port {text} {reason}: choose another") from None
        except (ValueError, OverflowError):
            raise argparse.ArgumentTypeError(f"{text!r} is no port: choose one from 0 to 65535") from None
    return int(text)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.ses", description=__doc__)
    parser.add_argument("--identity", action="append", default=[], help="a verified domain or address; repeatable")
    parser.add_argument("--configuration-set", action="append", default=[], help="one that exists; repeatable")
    parser.add_argument("--port", type=_port, default=str(HTTP_PORT), help="of the APIs (default: %(default)s)")
    parser.add_argument("--smtp-port", type=_port, default=str(SMTP_PORTS.starttls), help="default: %(default)s")
    parser.add_argument("--smtps-port", type=_port, default=str(SMTP_PORTS.implicit_tls), help="default: %(default)s")
    parser.add_argument("--emulator", help="URL of an AWS emulator that keeps identities, sets, topics and streams")
    return parser.parse_args()


if __name__ == "__main__":
    main()
