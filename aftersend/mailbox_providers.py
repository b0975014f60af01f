"""Name the mailbox provider of a recipient by the domain of the address.

Addresses at companies' own domains are `other`, whoever hosts them: only the DNS knows, and what an event is counted in
depends on the event alone.

Sources, as of November 2026: each provider's own help pages for the domains it gives addresses at; "Mailbox providers"
of the Amazon SES Virtual Deliverability Manager for which of them are reported together.
"""

OTHER = "other"

_DOMAINS = {
    "gmail": "gmail.com googlemail.com",
    "microsoft": (
        "outlook.com outlook.at outlook.be outlook.cl outlook.co.id outlook.co.th outlook.com.ar outlook.com.au "
        "outlook.com.br outlook.com.gr outlook.com.tr outlook.com.vn outlook.cz outlook.de outlook.dk outlook.es "
        "outlook.fr outlook.hu outlook.ie outlook.in outlook.it outlook.jp outlook.kr outlook.lv outlook.my outlook.ph "
        "outlook.pt outlook.sa outlook.sg outlook.sk hotmail.com hotmail.be hotmail.ca hotmail.ch hotmail.co.jp "
        "hotmail.co.nz hotmail.co.th hotmail.co.uk hotmail.co.za hotmail.com.ar hotmail.com.au hotmail.com.br "
        "hotmail.com.mx hotmail.com.tr hotmail.cz hotmail.de hotmail.dk hotmail.es hotmail.fi hotmail.fr hotmail.gr "
        "hotmail.hu hotmail.it hotmail.nl hotmail.no hotmail.se live.com live.at live.be live.ca live.ch live.cl "
        "live.cn live.co.uk live.co.za live.com.ar live.com.au live.com.mx live.com.pt live.com.sg live.de "
        "live.dk live.fi live.fr live.ie live.in live.it live.jp live.nl live.no live.ru live.se "
        "msn.com passport.com windowslive.com"
    ),
    "yahoo": (
        "yahoo.com yahoo.at yahoo.be yahoo.ca yahoo.cl yahoo.co.id yahoo.co.in yahoo.co.kr yahoo.co.nz yahoo.co.th "
        "yahoo.co.uk yahoo.co.za yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.co yahoo.com.hk yahoo.com.mx "
        "yahoo.com.my yahoo.com.pe yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.ve yahoo.com.vn "
        "yahoo.cz yahoo.de yahoo.dk yahoo.es yahoo.fi yahoo.fr yahoo.gr yahoo.hu yahoo.ie yahoo.in yahoo.it "
        "yahoo.nl yahoo.no yahoo.pl yahoo.pt yahoo.ro yahoo.se ymail.com rocketmail.com aol.com aol.co.uk "
        "aol.de aol.fr aol.it "
        "aim.com verizon.net"
    ),
    "yahoo-japan": "yahoo.co.jp ymail.ne.jp",
    "apple": "icloud.com me.com mac.com privaterelay.appleid.com",
    "gmx": "gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.fr gmx.info gmx.org web.de email.de",
    "t-online": "t-online.de magenta.de",
    "orange": "orange.fr wanadoo.fr",
    "free": "free.fr",
    "laposte": "laposte.net",
    "libero": "libero.it virgilio.it",
    "comcast": "comcast.net",
    "charter": "charter.net spectrum.net rr.com",
    "att": "att.net sbcglobal.net bellsouth.net pacbell.net",
    "cox": "cox.net",
    "bt": "btinternet.com btopenworld.com",
    "sky": "sky.com",
    "proton": "proton.me protonmail.com pm.me",
    "fastmail": "fastmail.com fastmail.fm",
    "zoho": "zoho.com zohomail.com zoho.eu zohomail.eu",
    "mail.ru": "mail.ru bk.ru inbox.ru list.ru internet.ru",
    "yandex": "yandex.ru yandex.com ya.ru yandex.by yandex.kz",
    "seznam": "seznam.cz email.cz post.cz spoluzaci.cz",
    "wp": "wp.pl o2.pl tlen.pl go2.pl",
    "onet": "onet.pl onet.eu op.pl vp.pl poczta.onet.pl",
    "uol": "uol.com.br bol.com.br",
    "terra": "terra.com.br",
    "docomo": "docomo.ne.jp",
    "au": "ezweb.ne.jp au.com",
    "softbank": "softbank.ne.jp i.softbank.jp",
    "naver": "naver.com",
    "daum": "daum.net hanmail.net kakao.com",
    "qq": "qq.com foxmail.com",
    "netease": "163.com 126.com yeah.net",
    "sina": "sina.com sina.cn",
    "rediff": "rediffmail.com",
}

PROVIDERS = {domain: provider for provider, domains in _DOMAINS.items() for domain in domains.split()}
"""Provider by domain."""


def mailbox_provider(recipient: str) -> str:
    """Return the provider of an address in lower case; `other` if its domain is not one of PROVIDERS."""
    return PROVIDERS.get(recipient.rpartition("@")[2], OTHER)
