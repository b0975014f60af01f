"""Read and change whether SES sends with a configuration set (SES API v2, PutConfigurationSetSendingOptions)."""

import time
from collections.abc import Callable
from typing import Any

from aftersend.aws.clients import PACE_SECONDS


class SendingSwitch:
    """Switch the sending of configuration sets at the pace that SES allows."""

    def __init__(
        self, sesv2: Any, *, pace_seconds: float = PACE_SECONDS, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._sesv2 = sesv2
        self._pause = lambda: pause(pace_seconds)

    def is_enabled(self, name: str) -> bool:
        options = self._sesv2.get_configuration_set(ConfigurationSetName=name).get("SendingOptions", {})
        self._pause()
        return options.get("SendingEnabled", True)

    def set(self, name: str, *, enabled: bool) -> None:
        """Enable or pause sending. SES refuses mail with a paused configuration set, and sends what it has accepted."""
        self._sesv2.put_configuration_set_sending_options(ConfigurationSetName=name, SendingEnabled=enabled)
        self._pause()
